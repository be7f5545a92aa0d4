"""What a reader does in the application, in steps that several tests share."""

from playwright.async_api import Locator, Page, expect

from tests.support.api import PASSWORD, User


async def sign_in(page: Page, user: User, address: str = "/") -> None:
    """Sign in at an address of the application, such as `/#/machines`."""
    await page.goto(address)
    await sign_in_here(page, user)


async def sign_in_here(page: Page, user: User) -> None:
    """Sign in on the page that is open."""
    await page.get_by_label("User name or e-mail address").fill(user.name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()


async def open_page(page: Page, address: str, heading: str) -> None:
    """Go to another page of the application without leaving it."""
    await page.evaluate("address => { location.hash = address }", address)
    await expect(page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible()


def dialog(page: Page) -> Locator:
    """The dialog in front."""
    return page.locator("dialog[open]").last


async def press(page: Page, name: str) -> None:
    """Press the button with exactly this name."""
    await page.get_by_role("button", name=name, exact=True).click()


async def press_in_dialog(page: Page, name: str) -> None:
    await dialog(page).get_by_role("button", name=name, exact=True).click()
