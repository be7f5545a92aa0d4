"""The start of the service, and the API documentation; they work without a network."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from starlette.types import ASGIApp

from symphony.api.compression import compressible
from symphony.api.fastapi_adapter import SWAGGER_UI
from symphony.api.html_pages import ASSETS, ONLY_OURS, html_page
from symphony.api.openapi.published import OpenApiDocuments
from symphony.api.problems.text_errors import ProblemsForTextErrors
from symphony.api.request import JSON
from symphony.api.root_path import public_path, root_path
from symphony.api.routing import PREFIX
from symphony.api.static.files import AssetFiles
from symphony.api.static.web_files import WebFiles
from symphony.application.app import Application
from symphony.application.orchestrations.sign_up import GetRegistration, is_registration_open

OPENAPI_URL = f"{PREFIX}/openapi.json"

routes = APIRouter(include_in_schema=False)

_LINKS = {
    "docs": "/docs",
    "redoc": "/redoc",
    "guides": "/guides",
    "problems": "/problems",
    "openapi": OPENAPI_URL,
    "metrics": "/metrics",
    "live": "/health/live",
    "ready": "/health/ready",
}
# ReDoc adds its styles to the page, and searches in a worker that it starts from memory.
_FOR_REDOC = (
    ONLY_OURS.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; worker-src blob:"
)
_DOCS = f"""<div id="docs" data-openapi="{OPENAPI_URL}"></div>
<script src="{ASSETS}/swagger-ui-bundle.js"></script>
<script src="{ASSETS}/docs.js"></script>"""
_REDOC = f"""<div id="redoc" data-openapi="{OPENAPI_URL}"></div>
<script src="{ASSETS}/redoc.standalone.js"></script>
<script src="{ASSETS}/redoc.js"></script>"""


class Start(BaseModel):
    """What the service is, for programs."""

    name: str
    version: str
    registration: Literal["open", "closed"]
    links: dict[str, str]


def assets() -> ASGIApp:
    """Serve the style sheets and scripts of the pages."""
    return as_problems(AssetFiles(Path(__file__).parents[1] / "assets", [SWAGGER_UI]))


def as_problems(files: AssetFiles) -> ASGIApp:
    """Serve files, with errors as problems."""
    return ProblemsForTextErrors(
        files,
        {
            400: ("malformed-request", "`Range` must be ranges of bytes, such as `bytes=0-499`."),
            416: ("range-not-satisfiable", None),
        },
    )


@routes.get("/", response_model=Start)
@compressible
async def start(request: Request, response: Response) -> Start | Response:
    """Return the application for browsers, and JSON for programs."""
    if _prefers_html(request):
        files: WebFiles = request.app.state.web_files
        page = files.shell(request)
        page.headers["Vary"] = "Accept"
        return page
    response.headers["Vary"] = "Accept"
    app: Application = request.app.state.application
    return Start(
        name="Symphony",
        version=version("symphony"),
        registration="open" if await is_registration_open(GetRegistration(), app) else "closed",
        links={name: public_path(request.scope, path) for name, path in _LINKS.items()},
    )


@routes.get("/docs")
@compressible
async def docs(request: Request) -> HTMLResponse:
    return html_page(request, "Symphony API", _DOCS, styles=("swagger-ui.css", "docs.css"))


@routes.get("/docs/")
async def docs_with_slash() -> RedirectResponse:
    return RedirectResponse("../docs", 308)


@routes.get("/redoc")
@compressible
async def redoc(request: Request) -> HTMLResponse:
    return html_page(request, "Symphony API", _REDOC, styles=("redoc.css",), policy=_FOR_REDOC)


@routes.get("/redoc/")
async def redoc_with_slash() -> RedirectResponse:
    return RedirectResponse("../redoc", 308)


@routes.get(OPENAPI_URL)
async def openapi(request: Request) -> Response:
    documents: OpenApiDocuments = request.app.state.openapi_documents
    content = await documents.at(root_path(request.scope))
    return await content.respond(request, Response(content.content, media_type=JSON))


def _prefers_html(request: Request) -> bool:
    """Return whether `Accept` prefers HTML to JSON by its weights; wildcards do not count."""
    accepted = ",".join(request.headers.getlist("accept"))
    return _weight(accepted, "text/html") > _weight(accepted, "application/json")


def _weight(accepted: str, media_type: str) -> float:
    """Return the weight of a media type in `Accept` (RFC 9110, section 12.5.1); 0 if absent."""
    item = rf"(?:^|,)\s*{re.escape(media_type)}\s*(?:;\s*q=([01](?:\.\d{{0,3}})?)\s*)?(?:,|$)"
    found = re.search(item, accepted, re.IGNORECASE)
    return float(found[1] or 1) if found else 0
