"""The pages of the guides."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from symphony.api.compression import compressible
from symphony.api.guides import GUIDES, guide_html
from symphony.api.html_pages import html_page
from symphony.api.problems.errors import ApiError

routes = APIRouter(include_in_schema=False)

_DOCUMENTS = {
    "/docs": "API documentation, to try in the browser",
    "/redoc": "API documentation, to read and to search",
    "/problems": "Problems, the errors of the API",
    "/api/v1/openapi.json": "OpenAPI document",
    "/metrics": "Metrics for Prometheus",
    "/health/live": "Liveness check",
    "/health/ready": "Readiness check",
}
_LIST = """<main>
<nav><a href="/">Start page</a></nav>
<h1>Guides</h1>
<ul>
{guides}
</ul>
<h2>API and service</h2>
<ul>
{documents}
</ul>
</main>"""


@routes.get("/guides/{name}")
@compressible
async def guide(request: Request, name: str) -> HTMLResponse:
    if name not in GUIDES:
        raise ApiError("route-not-found")
    nav = '<nav><a href="/guides">Guides</a></nav>'
    body = f'<main class="guide">\n{nav}\n{guide_html(name)}\n</main>'
    return html_page(request, f"{GUIDES[name]} · Symphony", body)


@routes.get("/guides")
@compressible
async def guides(request: Request) -> HTMLResponse:
    documents = [f'<li><a href="{path}">{words}</a></li>' for path, words in _DOCUMENTS.items()]
    pages = [f'<li><a href="/guides/{name}">{title}</a></li>' for name, title in GUIDES.items()]
    body = _LIST.format(guides="\n".join(pages), documents="\n".join(documents))
    return html_page(request, "Guides · Symphony", body)


@routes.get("/guides/")
async def guides_with_slash() -> RedirectResponse:
    return RedirectResponse("../guides", 308)
