"""What a client does with a compressed answer."""

import gzip
import sys

import httpx

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODERS = {"gzip": gzip.decompress, "zstd": zstd.decompress}
IDENTITY = {"Accept-Encoding": "identity"}


async def raw(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> tuple[httpx.Response, bytes]:
    """An answer and its content as it was sent; httpx alone would decode it."""
    async with client.stream(method, path, headers=headers) as answer:
        return answer, b"".join([each async for each in answer.aiter_raw()])


def decoded(answer: httpx.Response, content: bytes) -> bytes:
    """The content without its coding; the length that the answer states is checked."""
    assert answer.headers["content-length"] == str(len(content))
    coding = answer.headers.get("content-encoding")
    return DECODERS[coding](content) if coding else content
