"""Content codings (RFC 9110, section 8.4): compression, its negotiation, and the ETags it needs."""

import re
import sys
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP = zlib.MAX_WBITS + 16  # the format of gzip; zlib sets no time, so equal contents stay equal


def _gzip(content: bytes, level: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return compressor.compress(content) + compressor.flush()


@dataclass(frozen=True, slots=True)
class Coding:
    """A content coding."""

    name: str
    _compress: Callable[[bytes, int], bytes]
    _level: int
    _best_level: int

    def compress(self, content: bytes) -> bytes:
        """Compress a content that is sent once; equal contents have equal results."""
        return self._compress(content, self._level)

    def compress_well(self, content: bytes) -> bytes:
        """Compress a content that is sent many times; takes up to a second for each MiB."""
        return self._compress(content, self._best_level)


ZSTD = Coding("zstd", zstd.compress, 3, 15)
GZIP = Coding("gzip", _gzip, 6, 9)
_GZIP_NAMES = {"gzip", "x-gzip"}
# The preferred one first: zstd is smaller and takes a fraction of the time.
CODINGS = (ZSTD, GZIP)
_ITEM = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)
_SUFFIX = re.compile(rf"-(?:{'|'.join(coding.name for coding in CODINGS)})(?=\"$)")


def preferred_coding(accept_encoding: Iterable[str]) -> Coding | None:
    """Return the coding that a client prefers by its lines of Accept-Encoding; None for no coding.

    A client that prefers no coding by its weights gets none (RFC 9110, section 12.5.3). An item
    that is not valid counts as absent.
    """
    weights: dict[str, float] = {}
    for item in ",".join(accept_encoding).lower().split(","):
        if found := _ITEM.fullmatch(item):
            weights[found[1].removeprefix("x-")] = float(found[2] or 1)
    others = weights.get("*", 0)

    def preference(coding: Coding) -> tuple[float, bool, bool]:
        is_named = coding.name in weights
        # Not every client that accepts all codings can really read the newer ones.
        return weights.get(coding.name, others), is_named, is_named or coding is GZIP

    best = max(CODINGS, key=preference)
    weight = weights.get(best.name, others)
    return best if weight > 0 and weight >= weights.get("identity", 0) else None


class GzipContent:
    """A content that arrives compressed by gzip in several pieces, and is decompressed at once.

    It is no longer than `limit + 1` bytes: one byte more than the limit shows that it is too long.
    Only one member is accepted (RFC 1952, section 2.2).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._decompressor = zlib.decompressobj(_GZIP)
        self._is_damaged = False
        self.content = bytearray()

    @property
    def is_complete(self) -> bool:
        """Whether the pieces are one whole member, and nothing else."""
        return self._decompressor.eof and not self._is_damaged

    def add(self, piece: bytes) -> None:
        """Decompress the next piece, up to the limit; what follows an error is ignored."""
        room = self._limit + 1 - len(self.content)
        if self._is_damaged or not piece or room <= 0:
            return
        try:
            self.content += self._decompressor.decompress(piece, room)
        except zlib.error:
            self._is_damaged = True
        self._is_damaged |= bool(self._decompressor.unused_data)


def is_gzip(content_encoding: str) -> bool:
    """Return whether a field Content-Encoding names gzip alone (RFC 9110, section 8.4.1.3)."""
    return content_encoding.strip().lower() in _GZIP_NAMES


def is_coded(content_encoding: str) -> bool:
    """Return whether a field Content-Encoding names any coding; `identity` is none."""
    return content_encoding.strip().lower() not in {"", "identity"}


def coded_etag(etag: str, coding: Coding | None) -> str:
    """Return the ETag of a coded content.

    Each coding needs a strong ETag of its own (RFC 9110, section 8.8.3). A weak one stays.
    """
    return f'{etag[:-1]}-{coding.name}"' if coding and etag.startswith('"') else etag


def uncoded_etag(etag: str) -> str:
    """Return the ETag of a state of a resource, without the coding of the answer that had it."""
    return _SUFFIX.sub("", etag)
