"""Removal of credentials from the URLs of remotes."""

import re

_URL = re.compile(r"(?P<scheme>[^/?#]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)")
_SSH_SCHEMES = {"ssh", "git+ssh", "ssh+git"}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]*\]|[^\s:@\[\]]*)(:[0-9]*)?")
_SCP_LIKE = re.compile(r"(?P<user>[^\s:/@]+)@(?P<rest>[^\s@]+)")
HIDDEN = "…"


def without_credentials(url: str) -> str:
    """Return the URL without a password, a token, or anything else that may be a secret.

    The user name stays where SSH needs it (`ssh://`, `user@host:path`). A part that cannot be
    parsed, and could contain a secret, is replaced by `HIDDEN`.
    """
    parts = _URL.match(url)
    if parts is None:
        if "@" not in url or _SCP_LIKE.fullmatch(url):
            return url
        return HIDDEN
    scheme, path = parts["scheme"], parts["path"]
    login, _, host = parts["authority"].rpartition("@")
    if not _HOST.fullmatch(host):
        # For example a password that contains a slash: its beginning appears to be the host.
        return f"{scheme}://{HIDDEN}"
    user = login.partition(":")[0]
    shown_login = f"{user}@" if user and scheme.lower() in _SSH_SCHEMES else ""
    return f"{scheme}://{shown_login}{host}{path}"
