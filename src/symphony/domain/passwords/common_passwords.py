"""The most common passwords; `common-passwords.LICENSE.txt` says where the list comes from."""

from functools import cache
from pathlib import Path

_LIST = Path(__file__).with_name("common-passwords.txt")


def is_common(compared: str) -> bool:
    """Return whether a password, as its `comparison_key`, is one of the most common ones.

    The list has no password of fewer than 8 characters: they are refused for their length.
    """
    return "\n" not in compared and f"\n{compared}\n".encode() in _lines()


@cache
def _lines() -> bytes:
    """The list as one text: 160 KB instead of 1.5 MB as a set; a search takes some 40 µs."""
    return b"\n" + _LIST.read_bytes()
