"""A small repository whose trees take far more memory than their files on the disk."""

import hashlib
import zlib
from collections.abc import Iterator

from scripts.support.git_repository import Repository

_ENTRY = b"100644 " + b"z" * 4000 + b"\0" + b"\1" * 20
_ENTRIES_PER_CHUNK = 256


def write_tree_bomb(repository: Repository, size: int, depth: int = 4) -> None:
    """Let HEAD be a commit with a tree of `size` bytes, in which each tree contains the next one.

    git reads a tree as a whole, and all of them are in memory together. On the disk they take less
    than a hundredth of it.
    """
    chunks = size // (len(_ENTRY) * _ENTRIES_PER_CHUNK)
    inner = b""
    for _ in range(depth):
        entry = b"40000 a\0" + bytes.fromhex(inner.decode()) if inner else b""
        inner = _write(repository, b"tree", entry, chunks).encode()
    commit = b"tree %s\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\nx\n" % inner
    repository.write(".git/refs/heads/main", _write(repository, b"commit", commit, 0))


def _write(repository: Repository, kind: bytes, start: bytes, chunks: int) -> str:
    """Write a loose object and return its id (gitformat-loose(5))."""
    chunk = _ENTRY * _ENTRIES_PER_CHUNK

    def content() -> Iterator[bytes]:
        yield b"%s %d\0" % (kind, len(start) + chunks * len(chunk))
        yield start
        for _ in range(chunks):
            yield chunk

    hashed, compressed = hashlib.sha1(usedforsecurity=False), zlib.compressobj(1)
    pieces: list[bytes] = []
    for piece in content():
        hashed.update(piece)
        pieces.append(compressed.compress(piece))
    pieces.append(compressed.flush())
    object_id = hashed.hexdigest()
    repository.write(f".git/objects/{object_id[:2]}/{object_id[2:]}", b"".join(pieces))
    return object_id
