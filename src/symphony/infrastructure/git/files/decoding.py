"""Decoding of names and messages of git, which are bytes."""

import os


def decode(value: bytes) -> str:
    """Decode UTF-8; U+FFFD replaces invalid bytes."""
    return value.decode("utf-8", "replace")


def printable(name: str) -> str:
    """Return a name of the file system as valid text; U+FFFD replaces invalid bytes."""
    return decode(os.fsencode(name))
