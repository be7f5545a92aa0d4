"""Files that only look modified, because the filter that they pass through is not run.

A file with the attribute `filter` (git-lfs, git-crypt) is kept in another form than it is checked
out in. git compares the two only when the file's times are not those that the index has, and
without the filter they then differ. What is left to tell by is the size that the file had when the
index last saw it: while it has that size, it is taken for unmodified.
"""

import os
import re

from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_NONE = {b"unspecified", b"unset"}
# What `git ls-files --debug` tells of an entry; the size is that of the file, modulo 2^32.
_ENTRY = re.compile(rb"([^\0]+)\0(?:  .*\n)*?  size: (\d+)\t.*\n")
_AT_ONCE = 500  # paths, for a command line has an end
_SIZES = 1 << 32


def count_modified(private: PrivateDirectory, paths: list[bytes]) -> int:
    """How many of these files, which all look modified, are. Raises: Unreadable."""
    if not paths:
        return 0
    answers = private.attributes(paths, "filter")
    filtered = [path for path, value in answers if value not in _NONE]
    unmodified = 0
    for start in range(0, len(filtered), _AT_ONCE):
        names = [os.fsdecode(path) for path in filtered[start : start + _AT_ONCE]]
        listed = private.list_files("--debug", "--", *names)
        unmodified += sum(
            _size(private, path) == int(size) for path, size in _ENTRY.findall(listed)
        )
    return len(paths) - unmodified


def _size(private: PrivateDirectory, path: bytes) -> int | None:
    assert private.location.work_tree is not None  # noqa: S101 - a bare one has no files
    try:
        return os.lstat(private.location.work_tree / os.fsdecode(path)).st_size % _SIZES
    except OSError:
        return None
