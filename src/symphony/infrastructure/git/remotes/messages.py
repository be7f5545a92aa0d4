"""The translation of git's error output to a reason for clients."""

import re

_MAX_REASON = 200  # characters
# A search in a line takes time with the square of its length, which the remote chooses.
_MAX_LINE = 1000  # characters
_CREDENTIALS = "The remote requires credentials, and this service sends none."
_KNOWN = (
    (r"could not read (Username|Password)|Authentication failed", _CREDENTIALS),
    (r"Permission denied \(|returned error: 40[13]", _CREDENTIALS),
    (r"returned error: 30\d", "The remote redirects to another address, which is not followed."),
    (
        r"[Rr]epository .*not found|returned error: 404",
        "The remote has no repository at this address.",
    ),
    (
        r"no matching .* found. Their offer",
        "The remote and this service have no SSH algorithm in common.",
    ),
)
_ERROR_LINE = re.compile(
    # Over git:// the cause is in a line of its own, after the address.
    r"(fatal: unable to connect to .*\n.*errno=|(fatal|error|ssh|ERROR|remote error): )"
    r"(?P<message>.+)"
)
_PRIVATE = (
    (re.compile(r"'[^']*'|\"[^\"]*\""), "…"),  # git quotes addresses, paths and names
    (re.compile(r"\S*://\S*"), "…"),
    (re.compile(r"\S*@\S*"), "…"),
    (re.compile(r"\S*/\S*"), "…"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b"), "…"),
    (re.compile(r"\[?[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.%\w]*\]?"), "…"),
    (re.compile(r"[^\x20-\x7e…]+"), " "),
)


def failure_reason(error_output: str) -> str:
    """Return why git failed, as a sentence.

    A known error has a text of ours. Any other one is the message of git or of the remote, without
    addresses, paths, names and control characters.
    """
    error_output = "\n".join(line[:_MAX_LINE] for line in error_output.split("\n"))
    for pattern, reason in _KNOWN:
        if re.search(pattern, error_output):
            return reason
    line = _ERROR_LINE.search(error_output)
    message = line["message"] if line else "the remote sent no answer that git understands"
    for pattern, replacement in _PRIVATE:
        message = pattern.sub(replacement, message)
    return f"git failed: {message[:_MAX_REASON].strip().rstrip('.')}."
