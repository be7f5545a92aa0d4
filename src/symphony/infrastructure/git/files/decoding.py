"""Names and messages of git, which are bytes, as text."""


def text(value: bytes) -> str:
    """Decode UTF-8; U+FFFD stands for bytes that are not."""
    return value.decode("utf-8", "replace")
