"""The translation of git's error output to a reason for clients."""

import re

# A search in a line takes time with the square of its length, which the remote chooses.
_MAX_LINE = 1000  # characters
_CREDENTIALS = "The remote requires credentials, and this service sends none."
_NO_REPOSITORY = "The remote has no repository at this address."
_REFUSED = "Connection refused: the remote has no server at this port."
_UNREACHABLE = "The remote cannot be reached from this service."
_TOO_SLOW = "The remote does not answer in time."
_CLOSED = "The remote closes the connection before its answer is complete."
_CERTIFICATE = "The certificate of the remote is not valid for this address, or has expired."
_NO_TLS = "The remote and this service cannot agree on a TLS connection."
_NO_GIT = "The remote does not answer as a git server does."
_DAMAGED = "What the remote sends is damaged or incomplete."
_NO_SPACE = "The service cannot store what it fetches."
_UNKNOWN = "git cannot read the remote."
_PATTERNS = (
    (r"could not read (Username|Password)|Authentication failed", _CREDENTIALS),
    (r"Permission denied \(|returned error: 40[13]|terminal prompts disabled", _CREDENTIALS),
    (r"returned error: 30\d", "The remote redirects to another address, which is not followed."),
    (r"[Rr]epository .*not found|returned error: (404|410)", _NO_REPOSITORY),
    (
        r"repository not exported|not appear to be a git repository|no such repository",
        _NO_REPOSITORY,
    ),
    (
        r"no matching .* found. Their offer",
        "The remote and this service have no SSH algorithm in common.",
    ),
    (r"returned error: 429", "The remote receives too many requests; retry later."),
    (r"returned error: 5\d\d", "The remote answers with a server error."),
    (r"returned error: \d", "The remote refuses the request."),
    (r"[Cc]onnection refused|Couldn't connect to server|Failed to connect", _REFUSED),
    (r"No route to host|[Nn]etwork is unreachable|Network is down|Host is down", _UNREACHABLE),
    (r"timed out|Timeout|too slow", _TOO_SLOW),
    (r"certificate", _CERTIFICATE),
    (r"SSL|TLS|gnutls", _NO_TLS),
    (r"No space left on device|Disk quota exceeded|File too large", _NO_SPACE),
    (r"protocol error|invalid server response|not valid: is this a git repository", _NO_GIT),
    (r"HTTP/0\.9|bad line length|expected (flush|packfile|service)", _NO_GIT),
    (r"unknown protocol|banner|identification", _NO_GIT),
    (r"index-pack failed|unpack-objects failed|bad object|did not send all|corrupt", _DAMAGED),
    (r"hung up|early EOF|[Cc]onnection (reset|closed)|disconnect|RPC failed", _CLOSED),
    (r"Empty reply|transfer closed", _CLOSED),
)
REASONS = frozenset(reason for _, reason in _PATTERNS) | {_UNKNOWN}
"""All that a client can be told about a failure of git."""


def failure_reason(error_output: str) -> str:
    """Return why git failed, as a sentence of this module.

    Nothing of the output is repeated: it contains what the remote has sent, and a user could have
    the service read a server that is none of git.
    """
    error_output = "\n".join(line[:_MAX_LINE] for line in error_output.split("\n"))
    matching = (reason for pattern, reason in _PATTERNS if re.search(pattern, error_output))
    return next(matching, _UNKNOWN)
