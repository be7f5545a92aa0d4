"""Paths that a server sends: nothing promises that this system can express them."""

import os


def expanded(path: str) -> str:
    """Return a path in which `~` is the home of the user, if this system can express it."""
    try:
        return os.path.expanduser(path)
    except ValueError:  # a NUL, or a character that the encoding of the locale does not have
        return path


def real_path(path: str) -> str | None:
    """Return an expanded path without links; None if this system cannot express it."""
    try:
        return os.path.realpath(os.path.expanduser(path))
    except ValueError:
        return None
