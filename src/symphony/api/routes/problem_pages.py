"""The pages that explain the problems of the API: all of them, and one page each."""

from html import escape
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from symphony.api.compression import compressible
from symphony.api.html_pages import html_page
from symphony.api.problems.catalogue import PROBLEMS
from symphony.api.problems.errors import ApiError

routes = APIRouter(include_in_schema=False)

_PROBLEM = """<main>
<h1>{title}</h1>
<p>Status <strong>{status}</strong>, code <code>{code}</code></p>
<h2>What to do</h2>
<p>{remedy}</p>
<nav><a href="/problems">All problems</a> · <a href="/docs">API documentation</a></nav>
</main>"""
_PROBLEMS = """<main>
<h1>Problems</h1>
<p>Every error of the API is a problem (RFC 9457) with one of these codes.</p>
<div class="wide"><table>
<thead><tr><th>Status</th><th>Code</th><th>Title</th></tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
<nav><a href="/">Start page</a> · <a href="/docs">API documentation</a></nav>
</main>"""


@routes.get("/problems")
@compressible
async def problems(request: Request) -> HTMLResponse:
    """Return the list of all problems, by status."""
    rows = [
        f'<tr><td>{kind.status}</td><td><a href="/problems/{code}"><code>{code}</code></a></td>'
        f"<td>{escape(kind.title)}</td></tr>"
        for code, kind in sorted(PROBLEMS.items(), key=lambda each: (each[1].status, each[0]))
    ]
    return html_page(request, "Problems · Symphony", _PROBLEMS.format(rows="\n".join(rows)))


@routes.get("/problems/")
async def problems_with_slash() -> RedirectResponse:
    return RedirectResponse("../problems", 308)


@routes.get("/problems/{code}")
@compressible
async def problem(request: Request, code: str) -> HTMLResponse:
    kind = PROBLEMS.get(code)
    if kind is None:
        raise ApiError("route-not-found")
    title = escape(kind.title)
    status = f"{kind.status} {HTTPStatus(kind.status).phrase}"
    body = _PROBLEM.format(code=code, status=status, title=title, remedy=_html(kind.remedy))
    return html_page(request, f"{title} · Symphony", body)


def _html(text: str) -> str:
    """Convert a remedy to HTML; text between backticks becomes code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))
