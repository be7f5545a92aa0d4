"""The guides of `docs/` as HTML, so that they can be read without a network."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

# In the order in which a new user needs them.
GUIDES: Mapping[str, str] = {
    "getting-started": "Getting started",
    "api": "API reference",
    "vaults": "Vaults",
    "cli": "Command line",
    "configuration": "Configuration",
    "production": "Running in production",
    "performance": "Performance",
    "scaling": "Scaling",
}


@cache
def guide_html(name: str) -> str:
    """Return the content of a guide as HTML. Its headings have the anchors that GitHub gives them.

    Raises: KeyError for a name that is not in `GUIDES`.
    """
    GUIDES[name]
    text = (_directory() / f"{name}.md").read_text("utf-8")
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(following.content))
        for child in token.children or ():
            _link_to_page(child)
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    # A wide table scrolls on its own, not with the page.
    return html.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def _directory() -> Path:
    """The directory of the guides: in the installed package, or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "docs"
    return installed if installed.is_dir() else package.parents[1] / "docs"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


def _link_to_page(token: Token) -> None:
    """Replace the file name of another guide in a link by the address of its page."""
    target = token.attrGet("href")
    if isinstance(target, str):
        token.attrSet("href", re.sub(r"^([a-z-]+)\.md(?=#|$)", r"/guides/\1", target))
