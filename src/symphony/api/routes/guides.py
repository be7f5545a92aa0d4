"""The pages of the guides."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from symphony.api.compression import compressible
from symphony.api.guides import GUIDES, guide_html
from symphony.api.html_pages import html_page
from symphony.api.problems.errors import ApiError

routes = APIRouter(include_in_schema=False)


@routes.get("/guides/{name}")
@compressible
async def guide(request: Request, name: str) -> HTMLResponse:
    if name not in GUIDES:
        raise ApiError("route-not-found")
    nav = '<nav><a href="/">Start page</a></nav>'
    body = f'<main class="guide">\n{nav}\n{guide_html(name)}\n</main>'
    return html_page(request, f"{GUIDES[name]} · Symphony", body)


@routes.get("/guides")
async def guides() -> RedirectResponse:
    """Redirect to the start page, which lists the guides."""
    return RedirectResponse("./", 308)


@routes.get("/guides/")
async def guides_with_slash() -> RedirectResponse:
    return RedirectResponse("../", 308)
