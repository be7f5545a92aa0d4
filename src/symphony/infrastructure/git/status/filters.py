"""Files that appear modified because the filter that converts them is not run.

A file with the attribute `filter` (git-lfs, git-crypt) has another content in the repository than
in the working tree. git compares the two only when the times of the file differ from those in the
index, and without the filter they then differ. Only the size of the file in the index is left to
compare: while the file has that size, it counts as unmodified.
"""

import os
import re

from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_NO_FILTER = {b"unspecified", b"unset"}
# An entry in the output of `git ls-files --debug`; the size is that of the file, modulo 2^32.
_ENTRY = re.compile(rb"([^\0]+)\0(?:  .*\n)*?  size: (\d+)\t.*\n")
_PATHS_PER_RUN = 500  # because the size of a command line is limited
_SIZE_MODULUS = 1 << 32


def count_modified(private: PrivateDirectory, paths: list[bytes]) -> int:
    """Return how many of these files, which all appear modified, are modified.

    Raises: Unreadable, Stopped.
    """
    if not paths:
        return 0
    attributes = private.attributes(paths, "filter")
    filtered = [path for path, value in attributes if value not in _NO_FILTER]
    work_tree = private.location.work_tree
    assert work_tree is not None  # noqa: S101 - a bare repository has no files
    unmodified = 0
    for start in range(0, len(filtered), _PATHS_PER_RUN):
        names = [os.fsdecode(path) for path in filtered[start : start + _PATHS_PER_RUN]]
        output = private.list_files("--debug", "--", *names)
        unmodified += sum(
            _size(work_tree, path) == int(size) for path, size in _ENTRY.findall(output)
        )
    return len(paths) - unmodified


def _size(work_tree: UntrustedDirectory, path: bytes) -> int | None:
    size = work_tree.size(os.fsdecode(path))
    return None if size is None else size % _SIZE_MODULUS
