"""What git complains of, as it may be told."""

import re

_MAX_WORDS = 200  # characters
# Looking through a line takes the square of its length, and a remote makes it as long as it likes.
_MAX_LINE = 1000  # characters
_NEEDS_CREDENTIALS = "It needs credentials, and none are sent."
_KNOWN = (
    (r"could not read (Username|Password)|Authentication failed", _NEEDS_CREDENTIALS),
    (r"Permission denied \(|returned error: 40[13]", _NEEDS_CREDENTIALS),
    (r"returned error: 30\d", "It redirects to another address, which is not followed."),
    (r"[Rr]epository .*not found|returned error: 404", "There is no repository at its address."),
    (r"no matching .* found. Their offer", "It speaks no version of ssh that this service speaks."),
)
_SAYS_SOMETHING = re.compile(
    # Over git:// the cause stands in a line of its own, behind the address.
    r"(fatal: unable to connect to .*\n.*errno=|(fatal|error|ssh|ERROR|remote error): )"
    r"(?P<words>.+)"
)
_PRIVATE = (
    (re.compile(r"'[^']*'|\"[^\"]*\""), "…"),  # what git quotes is an address, a path, or a name
    (re.compile(r"\S*://\S*"), "…"),
    (re.compile(r"\S*@\S*"), "…"),
    (re.compile(r"\S*/\S*"), "…"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b"), "…"),
    (re.compile(r"\[?[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.%\w]*\]?"), "…"),
    (re.compile(r"[^\x20-\x7e…]+"), " "),
)


def reason(complaint: str) -> str:
    """Why git has failed: in our words where we know it, otherwise in its own, or the remote's,
    without addresses, paths, names and control characters."""
    complaint = "\n".join(line[:_MAX_LINE] for line in complaint.split("\n"))
    for pattern, words in _KNOWN:
        if re.search(pattern, complaint):
            return words
    said = _SAYS_SOMETHING.search(complaint)
    words = said["words"] if said else "there was no answer that git understands"
    for pattern, instead in _PRIVATE:
        words = pattern.sub(instead, words)
    return f"It failed: {words[:_MAX_WORDS].strip().rstrip('.')}."
