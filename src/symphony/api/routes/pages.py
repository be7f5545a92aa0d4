"""Pages for browsers: the start page, the API documentation and the pages of problems.

Everything is served by this server, so all pages work without a network.
"""

import re
from collections.abc import Sequence
from html import escape
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from symphony.api.compression import compressible
from symphony.api.fastapi_adapter import SWAGGER_UI
from symphony.api.openapi.published import OpenApiDocuments
from symphony.api.problems.catalogue import PROBLEMS
from symphony.api.problems.errors import ApiError
from symphony.api.request import JSON
from symphony.api.root_path import public_path, root_path
from symphony.api.routing import PREFIX
from symphony.api.static.files import AssetFiles

ASSETS = "/docs/assets"
OPENAPI_URL = f"{PREFIX}/openapi.json"

routes = APIRouter(include_in_schema=False)

_LINKS = {
    "docs": ("/docs", "API documentation, to try in the browser"),
    "openapi": (OPENAPI_URL, "OpenAPI document"),
    "metrics": ("/metrics", "Metrics for Prometheus"),
    "live": ("/health/live", "Liveness check"),
    "ready": ("/health/ready", "Readiness check"),
}
_ONLY_OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="{assets}/icon.svg">
{styles}
</head>
<body>
{body}
</body>
</html>
"""
_DOCS = f"""<div id="docs" data-openapi="{OPENAPI_URL}"></div>
<script src="{ASSETS}/swagger-ui-bundle.js"></script>
<script src="{ASSETS}/docs.js"></script>"""
_START = """<main>
<h1>Symphony</h1>
<p>Workspaces, git repositories and encrypted vaults behind a REST API. Version {version}.</p>
<ul>
{links}
</ul>
</main>"""
_PROBLEM = """<main>
<h1>{title}</h1>
<p>Status <strong>{status}</strong>, code <code>{code}</code></p>
<h2>What to do</h2>
<p>{remedy}</p>
<nav><a href="/docs">API documentation</a></nav>
</main>"""


class Start(BaseModel):
    """The links of the start page, for programs."""

    name: str
    version: str
    links: dict[str, str]


def assets() -> AssetFiles:
    """Serve the style sheets and scripts of the pages."""
    return AssetFiles(Path(__file__).parents[1] / "assets", [SWAGGER_UI])


@routes.get("/", response_model=Start)
@compressible
async def start(request: Request, response: Response) -> Start | Response:
    """Return the start page: HTML for browsers, JSON for programs."""
    number = version("symphony")
    if _prefers_html(request):
        items = [f'<li><a href="{path}">{words}</a></li>' for path, words in _LINKS.values()]
        page = _page(request, "Symphony", _START.format(version=number, links="\n".join(items)))
        page.headers["Vary"] = "Accept"
        return page
    response.headers["Vary"] = "Accept"
    links = {name: public_path(request.scope, path) for name, (path, _) in _LINKS.items()}
    return Start(name="Symphony", version=number, links=links)


@routes.get("/docs")
@compressible
async def docs(request: Request) -> HTMLResponse:
    return _page(request, "Symphony API", _DOCS, styles=("swagger-ui.css", "docs.css"))


@routes.get(OPENAPI_URL)
async def openapi(request: Request) -> Response:
    documents: OpenApiDocuments = request.app.state.openapi_documents
    content = await documents.at(root_path(request.scope))
    return await content.respond(request, Response(content.content, media_type=JSON))


@routes.get("/problems/{code}")
@compressible
async def problem(request: Request, code: str) -> HTMLResponse:
    kind = PROBLEMS.get(code)
    if kind is None:
        raise ApiError("route-not-found")
    title = escape(kind.title)
    status = f"{kind.status} {HTTPStatus(kind.status).phrase}"
    body = _PROBLEM.format(code=code, status=status, title=title, remedy=_html(kind.remedy))
    return _page(request, f"{title} · Symphony", body)


def _page(
    request: Request, title: str, body: str, styles: Sequence[str] = ("page.css",)
) -> HTMLResponse:
    links = [f'<link rel="stylesheet" href="{ASSETS}/{style}">' for style in styles]
    content = _PAGE.format(title=title, assets=ASSETS, styles="\n".join(links), body=body)
    # Every path in an attribute; quotation marks in texts are escaped.
    content = content.replace('="/', f'="{escape(root_path(request.scope))}/')
    return HTMLResponse(content, headers={"Content-Security-Policy": _ONLY_OURS})


def _prefers_html(request: Request) -> bool:
    """Return whether `Accept` prefers HTML to JSON by its weights; wildcards do not count."""
    accepted = ",".join(request.headers.getlist("accept"))
    return _weight(accepted, "text/html") > _weight(accepted, "application/json")


def _weight(accepted: str, media_type: str) -> float:
    """Return the weight of a media type in `Accept` (RFC 9110, section 12.5.1); 0 if absent."""
    item = rf"(?:^|,)\s*{re.escape(media_type)}\s*(?:;\s*q=([01](?:\.\d{{0,3}})?)\s*)?(?:,|$)"
    found = re.search(item, accepted, re.IGNORECASE)
    return float(found[1] or 1) if found else 0


def _html(text: str) -> str:
    """Convert a remedy to HTML; text between backticks becomes code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))
