"""The frame of the pages for browsers. Everything is served by this server."""

from collections.abc import Sequence
from html import escape

from fastapi import Request
from fastapi.responses import HTMLResponse

from symphony.api.root_path import root_path

ASSETS = "/docs/assets"

ONLY_OURS = (
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


def html_page(
    request: Request,
    title: str,
    body: str,
    *,
    styles: Sequence[str] = ("page.css",),
    policy: str = ONLY_OURS,
) -> HTMLResponse:
    """Return a page with a title, its style sheets and its content security policy (CSP).

    Paths in attributes begin with a slash; they get the prefix of the service.
    """
    links = [f'<link rel="stylesheet" href="{ASSETS}/{style}">' for style in styles]
    content = _PAGE.format(title=title, assets=ASSETS, styles="\n".join(links), body=body)
    # Every path in an attribute; quotation marks in texts are escaped.
    content = content.replace('="/', f'="{escape(root_path(request.scope))}/')
    return HTMLResponse(content, headers={"Content-Security-Policy": policy})
