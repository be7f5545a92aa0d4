"""Addresses of remotes as they may be shown."""

import os
import re

_URL = re.compile(r"(?P<scheme>[^/?#]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)")
_SSH = {"ssh", "git+ssh", "ssh+git"}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]*\]|[^\s:@\[\]]*)(:[0-9]*)?")
_SCP_LIKE = re.compile(r"(?P<user>[^\s:/@]+)@(?P<rest>[^\s@]+)")
HIDDEN = "…"


def without_credentials(url: str) -> str:
    """The address, without a password, a token, or whatever else may be one.

    The user stays where logging in needs one (`ssh://`, `user@host:path`). Of what is not
    understood nothing is shown that could be a secret.
    """
    shown = os.fsencode(url).decode("utf-8", "replace")
    parts = _URL.match(shown)
    if parts is None:
        if "@" not in shown or _SCP_LIKE.fullmatch(shown):
            return shown
        return HIDDEN
    scheme, path = parts["scheme"], parts["path"]
    login, _, host = parts["authority"].rpartition("@")
    if not _HOST.fullmatch(host):
        # A password with a slash in it, say: what looks like the host is its beginning.
        return f"{scheme}://{HIDDEN}"
    user = login.partition(":")[0]
    kept = f"{user}@" if user and scheme.lower() in _SSH else ""
    return f"{scheme}://{kept}{host}{path}"
