"""The entries of a small index, read without a run of git (gitformat-index(5))."""

import struct
from pathlib import Path

MAX_SIZE = 1 << 18  # bytes; git itself lists the entries of a larger one sooner
_HEADER = struct.Struct(">4sII")
_VERSION = 2  # entries of later versions have more flags, or compressed paths
_MODE = struct.Struct(">24xI12x")  # between the times and the size of the file
_FLAGS = struct.Struct(">H")
_EXTENSION = struct.Struct(">4sI")
_ASSUME_VALID, _EXTENDED, _LENGTH = 0x8000, 0x4000, 0x0FFF


def read_small_index(file: Path, id_size: int) -> bytes | None:
    """Return what `git ls-files -v --stage -z` prints for an index; `id_size` is in bytes.

    None when only git can say: the index is large, damaged, split, sparse or of another version.

    Raises: OSError, FileNotFoundError.
    """
    with file.open("rb") as opened:
        content = opened.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        return None
    try:
        return _entries(content, id_size)
    except (struct.error, ValueError):
        return None


def _entries(content: bytes, id_size: int) -> bytes | None:
    signature, version, count = _HEADER.unpack_from(content)
    end = len(content) - id_size  # of the checksum
    if signature != b"DIRC" or version != _VERSION or count > end:
        return None
    lines = list[bytes]()
    start = _HEADER.size
    for _ in range(count):
        (mode,) = _MODE.unpack_from(content, start)
        flags_at = start + _MODE.size + id_size
        (flags,) = _FLAGS.unpack_from(content, flags_at)
        path_at = flags_at + _FLAGS.size
        path_end = content.index(b"\0", path_at, end)
        if flags & _EXTENDED or min(path_end - path_at, _LENGTH) != flags & _LENGTH:
            return None
        stage = flags >> 12 & 3
        tag = b"M" if stage else b"H"
        if flags & _ASSUME_VALID:
            tag = tag.lower()
        object_id = content[flags_at - id_size : flags_at].hex().encode()
        path = content[path_at:path_end]
        lines.append(b"%b %06o %b %d\t%b\0" % (tag, mode, object_id, stage, path))
        start += (path_end - start + 8) & ~7
    return b"".join(lines) if _is_understood(content, start, end) else None


def _is_understood(content: bytes, start: int, end: int) -> bool:
    """Return whether a reader may ignore all extensions: their names begin with a capital."""
    while start < end:
        name, size = _EXTENSION.unpack_from(content, start)
        if not name[:1].isupper():
            return False
        start += _EXTENSION.size + size
    return start == end
