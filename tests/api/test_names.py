"""Names: which are equal, and which characters they may contain."""

import unicodedata
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.support.api import User, code, faults, sign_up

Make = Callable[[str], Awaitable[httpx.Response]]

# Each equals the first name of its row.
SAME = (
    ("Straße", "STRASSE", "strasse", "straẞe"),
    ("Café", unicodedata.normalize("NFD", "Café"), "CAFÉ", "cafe\u0301"),
    ("ﬁle", "file", "FILE", "\uff46\uff49\uff4c\uff45"),
    ("Ω", "\u2126", "ω"),
    ("\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2", "\u03c3\u03b1\u03c3"),
    ("k", "K", "\u212a"),
    ("①", "1"),
    ("ǆ", "Ǆ", "ǅ"),
    ("가", unicodedata.normalize("NFD", "가")),
)
DIFFERENT = (
    "a",
    "ä",
    "a\u0323",
    "i",
    "\u0131",
    "İ",
    "0",
    "O",
    "👩",
    "👩‍💻",
    "\u202ea",
    "a b",
    "a  b",
)


@pytest.fixture
async def makers(ada: User) -> dict[str, Make]:
    """For each noun, a function that creates one with a name, always in the same parent."""
    bob = await sign_up(ada.client, "bob")
    workspace_id = (await ada.workspace())["id"]

    def in_workspace(noun: str) -> Make:
        path = f"/workspaces/{workspace_id}/{noun}"
        return lambda name: ada.post(path, {"name": name, "path": "/somewhere"})

    return {
        "workspaces": lambda name: bob.post(f"/user-profiles/{bob.id}/workspaces", {"name": name}),
        "machines": lambda name: ada.post("/machines", {"name": name}),
        "repos": in_workspace("repos"),
        "vaults": in_workspace("vaults"),
    }


@pytest.mark.long
async def test_names_are_compared_without_case_or_unicode_form(makers: dict[str, Make]) -> None:
    for make in makers.values():
        for first, *others in SAME:
            made = await make(first)
            assert made.status_code == 201
            assert made.json()["name"] == first
            for other in others:
                assert code(await make(other)).endswith("-name-taken"), other.encode(
                    "unicode-escape"
                )


async def test_names_that_only_look_the_same_are_different(makers: dict[str, Make]) -> None:
    for make in makers.values():
        for name in DIFFERENT:
            answer = await make(name)
            assert answer.status_code == 201, name.encode("unicode-escape")
            assert answer.json()["name"] == name


async def test_spaces_around_a_name_are_trimmed(makers: dict[str, Make]) -> None:
    for make in makers.values():
        for name in ("  one  ", "\u2003two\u3000", "\u00a0three"):
            assert (await make(name)).json()["name"] == name.strip()
        assert code(await make("one ")).endswith("-name-taken")


async def test_names_have_1_to_255_characters(makers: dict[str, Make]) -> None:
    for make in makers.values():
        for name in ("x", "n" * 255, "😀" * 255, " " + "y" * 255 + " "):
            answer = await make(name)
            assert answer.status_code == 201
            assert answer.json()["name"] == name.strip()
        for name in ("", " ", "\u3000\u2003 ", "z" * 256, "😀" * 256):
            assert [pointer for pointer, _ in faults(await make(name))] == ["/name"]


@pytest.mark.long
async def test_control_characters_in_a_name_are_refused_also_at_both_ends(
    makers: dict[str, Make],
) -> None:
    for make in makers.values():
        for character in ("\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\x9f"):
            for name in (f"{character}name", f"na{character}me", f"name{character}", character):
                assert [pointer for pointer, _ in faults(await make(name))] == ["/name"], repr(name)


@pytest.mark.long
async def test_repos_and_vaults_require_folder_names_and_workspaces_do_not(
    makers: dict[str, Make],
) -> None:
    names = (".", "..", "a/b", "a\\b", "a<b", "a>b", "a:b", 'a"b', "a|b", "a?b", "a*b")
    for name in names:
        assert (await makers["workspaces"](name)).status_code == 201, name
        for noun in ("repos", "vaults"):
            for written in (name, f" {name} "):
                answer = await makers[noun](written)
                assert faults(answer) == [("/name", "not-a-folder-name")], written
    for name in ("...", ".git", "~", "-rf", "a.b ~c", "%2e%2e"):
        for make in makers.values():
            assert (await make(name)).status_code == 201, name
