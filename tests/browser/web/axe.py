"""Axe-core, which finds violations of the guidelines for accessibility (WCAG)."""

from importlib.resources import files
from typing import Any

from playwright.async_api import Page

# Of the package only the script of axe-core is used: its module has no types.
_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_RUN = """async () => {
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
}"""


async def violations(page: Page) -> list[str]:
    """What axe-core finds on a page: the rule, and the elements that violate it."""
    await page.evaluate(_SCRIPT)
    found: Any = await page.evaluate(_RUN)
    return found
