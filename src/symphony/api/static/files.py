"""Static files, with ETags of their contents, and compressed once."""

import os
from pathlib import Path

from fastapi import Request, Response
from starlette.responses import FileResponse
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Receive, Scope, Send

from symphony.api.conditions import NotModified
from symphony.api.static.content import ConstantContent

_State = tuple[str, int, int]  # path, time of the last change, size


class AssetFiles(StaticFiles):
    """Starlette's static files.

    Starlette derives an ETag from the time and the size of a file. Both may be the same in the next
    version of a package. It also refuses a `Range` in other units than bytes, which a server has to
    ignore (RFC 9110, section 14.2).
    """

    def __init__(self, directory: Path, packages: list[str | tuple[str, str]]) -> None:
        super().__init__(directory=directory, packages=packages)
        self._contents: dict[_State, ConstantContent] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or value.strip().lower().startswith(b"bytes=")
        ]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        return FileResponse(full_path, status_code, stat_result=stat_result)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or response.stat_result is None:
            return response
        request = Request(scope)
        state = (str(response.path), response.stat_result.st_mtime_ns, response.stat_result.st_size)
        if state not in self._contents:
            content = await ConstantContent.of(Path(response.path).read_bytes)
            self._contents.setdefault(state, content)
        is_conditional = "if-none-match" in request.headers
        if not is_conditional and self.is_not_modified(response.headers, request.headers):
            raise NotModified(response.headers)
        return await self._contents[state].respond(request, response)
