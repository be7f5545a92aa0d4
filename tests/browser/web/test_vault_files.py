"""Files and passphrases of vaults: bytes are uploaded and downloaded, never shown as text."""

import asyncio
import base64
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.web.axe import violations
from tests.browser.web.hostile import hostile_strings
from tests.browser.web.steps import dialog, press, press_in_dialog, sign_in
from tests.support.api import User, code

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
PASSPHRASE = "a horse, a battery and a staple"
NEW_PASSPHRASE = "a staple, a battery and a horse"
BYTES = b"<script>globalThis.hostile=1</script>" + bytes(range(256)) * 200
HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# What a browser does with a file that was moved or changed after it was chosen.
UNREADABLE_ONCE = """() => {
  const read = Blob.prototype.arrayBuffer;
  Blob.prototype.arrayBuffer = () => {
    Blob.prototype.arrayBuffer = read;
    return Promise.reject(new DOMException("It was changed.", "NotReadableError"));
  };
}"""
HOSTILE = next(each for each in hostile_strings() if each.startswith("<img src=x"))


async def _vault(page: Page, ada: User) -> str:
    """Open a vault without a passphrase; returns its path."""
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"])
    await sign_in(page, ada, f"/#/vaults/{vault['id']}")
    await expect(page.get_by_text("No entries yet.")).to_be_visible()
    return f"/vaults/{vault['id']}"


async def _downloaded(page: Page, button: str) -> tuple[str, bytes]:
    """The proposed name and the content of what a button downloads."""
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name=button, exact=True).last.click()
    file = await downloading.value
    path = await file.path()
    return file.suggested_filename, await asyncio.to_thread(path.read_bytes)


async def test_a_file_is_uploaded_downloaded_and_never_shown_as_text(
    page: Page, ada: User, tmp_path: Path
) -> None:
    path = await _vault(page, ada)
    await press(page, "Upload file")
    form = dialog(page)
    file = tmp_path / "id_ed25519"
    file.write_bytes(BYTES)
    await press_in_dialog(page, "Save")
    await expect(form.get_by_text("File is required.")).to_be_visible()
    await form.get_by_label("File").set_input_files(file)
    await expect(form.get_by_label("Name (not secret)")).to_have_value(
        "id_ed25519"
    )  # a first proposal
    await form.get_by_label("Name (not secret)").fill("ssh/id")
    assert await violations(page) == []
    # What was chosen is not discarded without a question.
    await page.keyboard.press("Escape")
    await press_in_dialog(page, "Cancel")
    await press_in_dialog(page, "Save")

    row = page.get_by_role("listitem").filter(has_text="ssh/id")
    await expect(row).to_contain_text("application/octet-stream, 51,237 bytes, version 1")
    stored = (await ada.get(f"{path}/entries/ssh/id")).json()
    assert (stored["encoding"], stored["content_type"]) == ("base64", "application/octet-stream")
    assert base64.b64decode(stored["content"]) == BYTES
    await expect(row.get_by_role("button")).to_have_text(["Download", "Versions", "Edit", "Delete"])
    assert await _downloaded(page, "Download: ssh/id") == ("id", BYTES)

    # Another version, whose predecessor is downloaded from the list of versions.
    await press(page, "Edit: ssh/id")
    await expect(dialog(page)).to_contain_text("application/octet-stream, 51,237 bytes.")
    key = tmp_path / "key.pem"
    key.write_text("a text is bytes, too")
    await dialog(page).get_by_label("File").set_input_files(key)
    await press_in_dialog(page, "Save")
    await expect(row).to_contain_text("20 bytes, version 2")
    await press(page, "Versions: ssh/id")
    await dialog(page).get_by_role("button", name="Show: version 1").click()
    assert await _downloaded(page, "Download") == ("id", BYTES)
    assert "globalThis" not in await page.content()


async def test_files_that_cannot_be_kept_are_refused_beside_the_field(
    page: Page, ada: User, tmp_path: Path
) -> None:
    path = await _vault(page, ada)
    await press(page, "Upload file")
    form = dialog(page)
    file = tmp_path / "large"
    file.write_bytes(b"a" * (256 * 1024 + 1))
    await form.get_by_label("File").set_input_files(file)
    await press_in_dialog(page, "Save")
    await expect(form.get_by_text("The file has 262,145 bytes")).to_be_visible()
    await expect(form.get_by_label("File")).to_be_focused()
    file.write_bytes(b"a" * 256 * 1024)
    await form.get_by_label("File").set_input_files(file)  # the same one: the field is cancelled
    await expect(page.locator("dialog")).to_have_count(1)
    await page.evaluate(UNREADABLE_ONCE)
    await press_in_dialog(page, "Save")
    await expect(form.get_by_text("The browser cannot read the file.")).to_be_visible()
    await press_in_dialog(page, "Save")
    await expect(page.get_by_text("262,144 bytes, version 1")).to_be_visible()
    assert (await ada.get(f"{path}/entries/large")).json()["size"] == 256 * 1024


async def test_hostile_names_and_types_of_files_stay_texts(page: Page, ada: User) -> None:
    path = await _vault(page, ada)
    content = base64.b64encode(BYTES).decode()
    key = f"a/{HOSTILE.replace('/', '')}\u202egpj.exe"
    body = {"content": content, "encoding": "base64", "content_type": "text/html"}
    assert (await ada.put(f"{path}/entries/{key}", body)).status_code == 201
    await page.reload()
    await sign_in(page, ada, f"/#{path}")
    name, saved = await _downloaded(page, f"Download: {key}".replace("\u202e", r"\u{202e}"))
    assert saved == BYTES
    assert "\u202e" not in name
    assert len(page.context.pages) == 1  # it was not opened
    assert await page.evaluate("globalThis.hostile") is None


async def test_two_editors_of_a_file_do_not_overwrite_each_other(
    page: Page, ada: User, tmp_path: Path, refusals: set[int]
) -> None:
    refusals.add(412)
    path = f"{await _vault(page, ada)}/entries/key"
    body = {"content": base64.b64encode(BYTES).decode(), "encoding": "base64"}
    for _ in range(2):
        assert (await ada.put(path, body)).is_success
    await page.reload()
    await sign_in(page, ada, f"/#{path.removesuffix('/entries/key')}")
    await press(page, "Edit: key")
    file = tmp_path / "mine"
    file.write_bytes(b"mine\x00")
    await dialog(page).get_by_label("File").set_input_files(file)
    body["content"] = base64.b64encode(b"theirs\x00").decode()
    assert (await ada.put(path, body)).status_code == 200
    await press_in_dialog(page, "Save")
    conflict = dialog(page).get_by_role("alert").filter(has_text="Another editor")
    await expect(conflict).to_contain_text("text/plain, 7 bytes.")
    await press_in_dialog(page, "Save")
    await expect(page.get_by_text("5 bytes, version 4")).to_be_visible()
    assert base64.b64decode((await ada.get(path)).json()["content"]) == b"mine\x00"


async def test_the_passphrase_is_changed_and_the_vault_is_locked_everywhere(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.update({403, 422})
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"], protection="passphrase", passphrase=PASSPHRASE)
    path = f"/vaults/{vault['id']}"
    unlocked = await ada.post(f"{path}/unlock", {"passphrase": PASSPHRASE})
    session = {"Vault-Session": unlocked.json()["session"]}
    assert (await ada.put(f"{path}/entries/key", {"content": "x"}, headers=session)).is_success
    await sign_in(page, ada, f"/#{path}")
    await page.get_by_label("Passphrase").fill(PASSPHRASE)
    await press(page, "Unlock")
    await expect(page.get_by_text("1 byte, version 1")).to_be_visible()

    await press(page, "Change passphrase")
    form = dialog(page)
    await expect(form.get_by_label("Current passphrase")).to_be_focused()
    assert await violations(page) == []
    await form.get_by_label("Current passphrase").fill("a wrong passphrase")
    await form.get_by_label("New passphrase", exact=True).fill("short")
    await form.get_by_label("New passphrase again").fill("other")
    await press_in_dialog(page, "Change passphrase")
    await expect(form.get_by_text("The two new passphrases differ.")).to_be_visible()
    await form.get_by_label("New passphrase again").fill("short")
    await press_in_dialog(page, "Change passphrase")
    await expect(form.get_by_label("New passphrase", exact=True)).to_be_focused()
    for label in ("New passphrase", "New passphrase again"):
        await form.get_by_label(label, exact=True).fill(NEW_PASSPHRASE)
    await press_in_dialog(page, "Change passphrase")
    await expect(form.get_by_label("Current passphrase")).to_have_attribute("aria-invalid", "true")
    await form.get_by_label("Current passphrase").fill(PASSPHRASE)
    await press_in_dialog(page, "Change passphrase")

    # Locked on the page and elsewhere; nothing of it is left on the page.
    await expect(page.get_by_text("The passphrase has been changed.")).to_be_visible()
    await expect(page.get_by_label("Passphrase")).to_be_visible()
    await expect(page.locator("dialog")).to_have_count(0)
    assert code(await ada.get(f"{path}/entries/key", headers=session)) == "423 vault-locked"
    await page.get_by_label("Passphrase").fill(NEW_PASSPHRASE)
    await press(page, "Unlock")
    await expect(page.get_by_text("1 byte, version 1")).to_be_visible()
    assert NEW_PASSPHRASE not in await page.content()


async def test_a_hidden_tab_forgets_a_typed_passphrase_and_a_chosen_file(
    page: Page, ada: User, tmp_path: Path
) -> None:
    await page.clock.install()
    await _vault(page, ada)
    await press(page, "Upload file")
    file = tmp_path / "key"
    file.write_bytes(BYTES)
    await dialog(page).get_by_label("File").set_input_files(file)
    await page.evaluate(HIDE)
    await page.clock.run_for(300_000)
    await expect(page.locator("dialog, input[type=file]")).to_have_count(0)


async def test_a_vault_without_a_passphrase_offers_no_change_of_it(page: Page, ada: User) -> None:
    await _vault(page, ada)
    await expect(page.get_by_role("button", name="Change passphrase")).to_have_count(0)
