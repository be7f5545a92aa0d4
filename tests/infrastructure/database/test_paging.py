"""Pages of lists, by keys and not by offsets, over every store."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from symphony.domain.api_tokens import ApiToken
from symphony.domain.base import Entity, PageRequest, Position
from symphony.domain.machines.machines import Machine
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from tests.domain.examples import a_machine, a_repo, a_token, a_vault, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep, listed, page, repository

START = datetime(2026, 1, 1, tzinfo=UTC)
MAKERS: dict[type[Entity], Callable[..., Entity]] = {
    Workspace: a_workspace,
    Repo: a_repo,
    Vault: a_vault,
    Machine: a_machine,
}
SORTS = [(sort, down) for sort in ("created_at", "updated_at", "name") for down in (False, True)]


def _some(noun: type[Entity], home: Household, count: int, prefix: str = "n") -> list[Any]:
    """Entities in groups of three with the same times."""
    made: list[Any] = []
    for number in range(count):
        values: dict[str, Any] = {
            "created_at": START + timedelta(microseconds=number // 3),
            "updated_at": START + timedelta(days=1, microseconds=(count - number) // 3),
        }
        if noun is ApiToken:
            values["token_hash"] = f"{prefix}{number}".encode()
            made.append(a_token(home.user.id, f"{prefix}{number // 3:03}", **values))
        else:
            made.append(MAKERS[noun](_parent(noun, home), f"{prefix}{number:03}", **values))
    return made


def _parent(noun: type[Entity], home: Household) -> Any:
    return home.user.id if noun in {Workspace, ApiToken, Machine} else home.workspace.id


async def _pages(
    store: Store, noun: type[Entity], home: Household, request: PageRequest
) -> AsyncGenerator[list[Any]]:
    after: Position | None = request.after
    while True:
        one = await page(
            store,
            noun,
            home.user.id,
            _parent(noun, home),
            PageRequest(
                limit=request.limit,
                sort=request.sort,
                descending=request.descending,
                after=after,
                text=request.text,
            ),
        )
        yield list(one.items)
        if one.next is None:
            return
        after = one.next


@pytest.mark.parametrize("noun", [Workspace, Repo, Vault, ApiToken, Machine])
@pytest.mark.parametrize(("sort", "descending"), SORTS)
async def test_the_pages_of_a_list_have_everything_once_and_in_order(
    store: Store, ada: Household, noun: type[Entity], sort: str, *, descending: bool
) -> None:
    await keep(store, *_some(noun, ada, 20))
    everything = await listed(store, noun, ada.user.id, _parent(noun, ada))
    key = "name_key" if sort == "name" else sort
    expected = sorted(
        everything, key=lambda each: (getattr(each, key), each.id), reverse=descending
    )
    request = PageRequest(limit=4, sort=sort, descending=descending)
    pages = [items async for items in _pages(store, noun, ada, request)]
    assert [each for items in pages for each in items] == expected
    assert {len(items) for items in pages[:-1]} == {4}


@pytest.mark.parametrize(("sort", "descending"), SORTS)
async def test_pages_neither_repeat_nor_skip_what_was_there_all_the_time(
    store: Store, ada: Household, sort: str, *, descending: bool
) -> None:
    repos = _some(Repo, ada, 24)
    staying, going = repos[::2], repos[1::2]
    await keep(store, *repos)
    seen: list[Any] = []
    request = PageRequest(limit=3, sort=sort, descending=descending)
    async for items in _pages(store, Repo, ada, request):
        seen += items
        # Between two pages, others are added and removed, before and after the position.
        async with committed(store) as uow:
            for repo in _some(Repo, ada, 2, prefix=f"{'mz'[len(seen) % 2]}{len(seen)}-"):
                await uow.repos.add(repo)
            for gone in (going.pop(0), going.pop()) if len(going) > 1 else ():
                await repository(uow, Repo).remove(gone)
    ids = [repo.id for repo in seen]
    assert len(ids) == len(set(ids))
    assert {repo.id for repo in staying} <= set(ids)
    key = "name_key" if sort == "name" else sort
    places = [(getattr(repo, key), repo.id) for repo in seen]
    assert all((one > other) is descending for one, other in pairwise(places))


async def test_the_next_page_can_be_read_after_the_last_item_was_removed(
    store: Store, ada: Household
) -> None:
    repos = _some(Repo, ada, 6)
    await keep(store, *repos)
    request = PageRequest(limit=3, sort="name")
    first = await page(store, Repo, ada.user.id, ada.workspace.id, request)
    async with committed(store) as uow:
        await uow.repos.remove(first.items[-1])
    rest = await page(
        store,
        Repo,
        ada.user.id,
        ada.workspace.id,
        PageRequest(limit=9, sort="name", after=first.next),
    )
    assert [*first.items, *rest.items] == [ada.repo, *repos]
    assert rest.next is None


@pytest.mark.parametrize(("count", "more"), [(2, False), (3, False), (4, True)])
async def test_the_last_page_has_no_next_position(
    store: Store, ada: Household, count: int, *, more: bool
) -> None:
    await keep(store, *_some(ApiToken, ada, count))
    part = await page(store, ApiToken, ada.user.id, ada.user.id, PageRequest(limit=3))
    assert len(part.items) == min(count, 3)
    assert (part.next is not None) is more


@pytest.mark.parametrize("noun", [Workspace, Repo, Vault, ApiToken, Machine])
@pytest.mark.parametrize(("sort", "descending"), [("name", False), ("updated_at", True)])
async def test_a_list_can_start_at_a_time_to_the_microsecond(
    store: Store, ada: Household, noun: type[Entity], sort: str, *, descending: bool
) -> None:
    some = _some(noun, ada, 9)
    await keep(store, *some)
    since = some[4].updated_at
    request = PageRequest(limit=9, sort=sort, descending=descending, updated_since=since)
    items = (await page(store, noun, ada.user.id, _parent(noun, ada), request)).items
    everything = await listed(store, noun, ada.user.id, _parent(noun, ada))
    assert {each.id for each in items} == {
        each.id for each in everything if each.updated_at >= since
    }
    later = PageRequest(limit=9, updated_since=since + timedelta(microseconds=1))
    fewer = (await page(store, noun, ada.user.id, _parent(noun, ada), later)).items
    assert some[4] not in fewer
    assert len(fewer) < len(items)


NAMES = [
    "10",
    "9",
    "a",
    "B",
    "Z",
    "zebra",
    "Äpfel",
    "apfel",
    "é",
    "e\u0301a",
    "ß",
    "ssa",
    "\u0131",
    "Ω",
    "я",
    "中文",
    "日本",
    "한국",
    "-",
    "_",
    "~",
    "\ue000",
    "\ufffd",
    "\uffff",
    "\U00010000",
    "\U0001f3bb",
    "\U0010fffd",
]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("noun", [Workspace, Repo, Vault])
async def test_names_are_sorted_by_code_point_on_every_store(
    store: Store, ada: Household, noun: type[Entity], *, descending: bool
) -> None:
    make = MAKERS[noun]
    await keep(store, *(make(_parent(noun, ada), name) for name in NAMES))
    seen: list[Any] = []
    request = PageRequest(limit=5, sort="name", descending=descending)
    async for items in _pages(store, noun, ada, request):
        seen += items
    keys = [[ord(character) for character in each.name_key] for each in seen]
    assert len(keys) == len(NAMES) + 1
    assert keys == sorted(keys, reverse=descending)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("%", ["50% off"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("/", ["a/b"]),
        ("0%", ["50% off"]),
        ("%o", []),
        ("s_a", []),
        ("e_c", ["snake_case"]),
        ("SNAKE", ["snake_case"]),
        ("STRASSE", ["Straße 1"]),
        ("straß", ["Straße 1"]),
        ("ÉTÉ", ["L'été"]),
        ("e\u0301te\u0301", ["L'été"]),
        ("ete", []),
        ("'", ["L'été"]),
        ("FIL", ["ﬁle"]),
        ("я", ["ЯЯ"]),
        ("\U0001f3bb", ["my \U0001f3bb"]),
        ("y ", ["my \U0001f3bb"]),
        ("nothing like it", []),
        ("*", []),
        ("?", []),
        ("[a-z]", []),
        ("%" * 255, []),
    ],
)
async def test_a_list_can_be_searched_for_a_literal_part_of_the_name(
    store: Store, ada: Household, text: str, names: list[str]
) -> None:
    all_names = [
        "50% off",
        "snake_case",
        "back\\slash",
        "a/b",
        "Straße 1",
        "L'été",
        "ﬁle",
        "ЯЯ",
        "my \U0001f3bb",
    ]
    await keep(store, *(a_workspace(ada.user.id, name) for name in all_names))
    request = PageRequest(limit=100, sort="name", text=text)
    items = (await page(store, Workspace, ada.user.id, ada.user.id, request)).items
    assert [item.name for item in items] == names


async def test_a_search_has_pages(store: Store, ada: Household) -> None:
    await keep(store, *_some(Repo, ada, 9, "yes"), *_some(Repo, ada, 9, "no"))
    request = PageRequest(limit=2, sort="created_at", text="YES")
    seen = [each async for items in _pages(store, Repo, ada, request) for each in items]
    assert [each.name for each in seen] == [f"yes{number:03}" for number in range(9)]
