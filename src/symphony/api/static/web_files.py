"""The application in the browser: its shell, and the files below an address of their contents."""

import os
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.responses import FileResponse
from starlette.staticfiles import PathLike
from starlette.types import Scope

from symphony.api.root_path import root_path
from symphony.api.static.files import AssetFiles

MOUNT = "/web"
DIRECTORY = Path(__file__).parents[2] / "web"

_FOREVER = "public, max-age=31536000, immutable"
# Python's own table differs between its versions, and reads the tables of the machine.
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none';"
    # Nothing in the page can turn a text into HTML or a script.
    " require-trusted-types-for 'script'; trusted-types 'none'"
)


class WebFiles(AssetFiles):
    """The styles and scripts of the application.

    Their addresses contain a hash of all of them. So browsers keep them for good, and never use a
    script of one version with a script of another one. Another hash, of a page that was loaded from
    another version, gets the files of this version, which browsers then do not keep.
    """

    def __init__(self) -> None:
        super().__init__(DIRECTORY, [])
        self.release = _hash_of_files()

    async def get_response(self, path: str, scope: Scope) -> Response:
        release, _, name = path.partition(os.sep)
        response = await super().get_response(name, scope)
        if release == self.release:
            response.headers["Cache-Control"] = _FOREVER
        return response

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        media_type = _MEDIA_TYPES.get(Path(full_path).suffix)
        return FileResponse(full_path, status_code, stat_result=stat_result, media_type=media_type)

    def shell(self, request: Request) -> HTMLResponse:
        """Return the page that loads the application."""
        files = f"{MOUNT}/{self.release}"
        preloads = "\n".join(
            f'<link rel="modulepreload" href="{files}/{name}">'
            for name in _names("scripts/**/*.js")
        )
        styles = "\n".join(
            f'<link rel="stylesheet" href="{files}/{name}">' for name in _names("styles/*.css")
        )
        content = (
            (DIRECTORY / "index.html")
            .read_text("utf-8")
            .replace("<!-- styles -->", styles)
            .replace("<!-- preloads -->", preloads)
            .replace("{files}", files)
            .replace('="/', f'="{escape(root_path(request.scope))}/')
        )
        return HTMLResponse(
            content,
            headers={
                "Content-Security-Policy": _POLICY,
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Permissions-Policy": (
                    "camera=(), geolocation=(), microphone=(), payment=(), usb=(),"
                    " clipboard-read=(), clipboard-write=(self)"
                ),
            },
        )


def _names(pattern: str) -> list[str]:
    return sorted(file.relative_to(DIRECTORY).as_posix() for file in DIRECTORY.glob(pattern))


@cache
def _hash_of_files() -> str:
    digest = sha256()
    for name in _names("**/*.*"):
        content = (DIRECTORY / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
