"""Decoding of names and messages of git, which are bytes."""


def decode(value: bytes) -> str:
    """Decode UTF-8; U+FFFD replaces invalid bytes."""
    return value.decode("utf-8", "replace")
