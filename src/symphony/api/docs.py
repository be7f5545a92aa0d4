"""What people open in a browser: the start, the documentation and the pages of problems.

Everything comes from this server, so all of it works with no network.
"""

from html import escape
from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from starlette.staticfiles import StaticFiles

from symphony.api.problems import PROBLEMS, ApiError
from symphony.api.routing import PREFIX

ASSETS = "/docs/assets"
OPENAPI_URL = f"{PREFIX}/openapi.json"

routes = APIRouter(include_in_schema=False)

_ONLY_OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_DOCS_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Symphony API</title>
<link rel="icon" href="{ASSETS}/favicon.png">
<link rel="stylesheet" href="{ASSETS}/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="{ASSETS}/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_DOCS_SCRIPT = f"""SwaggerUIBundle({{
  url: "{OPENAPI_URL}",
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
}});
"""
_PROBLEM_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto }}
code {{ background: #8882; padding: 0 .3em; border-radius: .2em }}
</style>
</head>
<body>
<p><code>{code}</code> · status {status}</p>
<h1>{title}</h1>
<p>{remedy}</p>
<p><a href="/docs">API documentation</a></p>
</body>
</html>
"""


class Start(BaseModel):
    name: str
    version: str
    links: dict[str, str]


def assets() -> StaticFiles:
    """Swagger UI's files, out of a package that carries them."""
    return StaticFiles(packages=[("fastapi_offline", "static")])


@routes.get("/")
async def start() -> Start:
    return Start(
        name="Symphony",
        version=version("symphony"),
        links={
            "docs": "/docs",
            "openapi": OPENAPI_URL,
            "live": "/health/live",
            "ready": "/health/ready",
        },
    )


@routes.get("/docs")
async def docs() -> HTMLResponse:
    return _page(_DOCS_PAGE)


@routes.get("/docs/start.js")
async def docs_script() -> Response:
    return Response(_DOCS_SCRIPT, media_type="text/javascript")


@routes.get(OPENAPI_URL)
async def openapi(request: Request) -> dict[str, object]:
    return request.app.openapi()


@routes.get("/problems/{code}")
async def problem(code: str) -> HTMLResponse:
    kind = PROBLEMS.get(code)
    if kind is None:
        raise ApiError("route-not-found")
    remedy = _with_code(kind.remedy)
    return _page(
        _PROBLEM_PAGE.format(code=code, status=kind.status, title=escape(kind.title), remedy=remedy)
    )


def _page(content: str) -> HTMLResponse:
    return HTMLResponse(content, headers={"Content-Security-Policy": _ONLY_OURS})


def _with_code(text: str) -> str:
    """The words of a remedy as HTML; what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))
