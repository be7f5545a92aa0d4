"""Contents that never change while the process runs, each compressed at most once per coding."""

import asyncio
from collections.abc import Callable
from hashlib import sha256

from fastapi import Request, Response

from symphony.api.compression import ACCEPT_ENCODING, MIN_BYTES
from symphony.api.conditions import answer_if_modified
from symphony.api.content_codings import Coding, coded_etag, preferred_coding


class ConstantContent:
    """A content and its coded forms, which are computed in a thread at their first use."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._tag = sha256(content).hexdigest()[:32]
        self._coded: dict[Coding, bytes] = {}
        self._lock = asyncio.Lock()

    @classmethod
    async def of(cls, create: Callable[[], bytes]) -> "ConstantContent":
        """Create the content in a thread."""
        return await asyncio.to_thread(lambda: cls(create()))

    async def respond(self, request: Request, response: Response) -> Response:
        """Return `response` or a coded form of it, with an ETag.

        `response` is the answer without a coding, and stays the answer to a request for a range.

        Raises: NotModified.
        """
        response.headers.add_vary_header(ACCEPT_ENCODING)
        answer_if_modified(request, response, self._tag)
        accepted = request.headers.getlist(ACCEPT_ENCODING)
        coding = preferred_coding(accepted) if accepted else None
        # A server may ignore a coding as well as a range; If-Range tells the two forms apart.
        if coding is None or len(self.content) <= MIN_BYTES or "range" in request.headers:
            return response
        coded = await self._in_coding(coding)
        if len(coded) >= len(self.content):  # an image, which is compressed already
            return response
        headers = {
            **response.headers,
            "etag": coded_etag(response.headers["etag"], coding),
            "content-encoding": coding.name,
            "content-length": str(len(coded)),
        }
        return Response(coded, headers=headers)

    async def _in_coding(self, coding: Coding) -> bytes:
        async with self._lock:
            if coding not in self._coded:
                self._coded[coding] = await asyncio.to_thread(coding.compress_well, self.content)
            return self._coded[coding]
