"""Repositories: whose a thing is, how it is found, and lists that are walked page by page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from scripts.demos.support.in_memory import store_in_memory
from scripts.demos.support.stage import Stage, perform
from symphony.domain.base import E, Page, PagedRepository, PageRequest, new_id
from symphony.domain.errors import AlreadyExists, NotFound
from symphony.domain.repos import Repo, RepoRepository
from symphony.domain.unit_of_work import Repositories, Store, TransactionConflict
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault, VaultRepository
from symphony.domain.workspaces import Workspace, WorkspaceType

ADA = UserProfile(username="Ada_L", email="Ada@Example.org", password_hash="(a hash)")
EVE = UserProfile(username="eve", email="eve@example.org", password_hash="(a hash)")
THESIS = Workspace(user_profile_id=ADA.id, name="Thesis", workspace_type=WorkspaceType.RESEARCH)
CELLAR = Workspace(user_profile_id=ADA.id, name="100 % cellar")
REPOS = [Repo(workspace_id=THESIS.id, name=f"repo-{number:02}", path="/r") for number in range(23)]
NAMES = ("Zebra", "ärger", "apple", "Ångström", "Banana", "école", "banana bread")


async def story(stage: Stage) -> None:
    async with store_in_memory() as store:
        await keep(stage, store)
        await look_ups(stage, store)
        await ownership(stage, store)
        await pages(stage, store)
        await a_list_that_changes(stage, store)
        await sorting(stage, store)
        await searching(stage, store)
        await stale_states(stage, store)


async def keep(stage: Stage, store: Store) -> None:
    stage.step("Repositories keep entities, and give them back as they were")
    async with store.unit_of_work() as uow:
        await uow.user_profiles.add(ADA)
        await uow.user_profiles.add(EVE)
        await uow.workspaces.add(THESIS)
        await uow.workspaces.add(CELLAR)
        for repo in REPOS:
            await uow.repos.add(repo)
        await uow.commit()
    async with store.reading() as repositories:
        stage.expect("the user", await repositories.user_profiles.get(ADA.id, ADA.id) == ADA)
        stage.expect(
            "the workspace", await repositories.workspaces.get(ADA.id, THESIS.id) == THESIS
        )
        stage.expect("the repo", await repositories.repos.get(ADA.id, REPOS[7].id) == REPOS[7])


async def look_ups(stage: Stage, store: Store) -> None:
    stage.step("People are found by user name or e-mail address, whatever the case")
    async with store.reading() as repositories:
        users = repositories.user_profiles
        stage.expect("by user name: ADA_l", await users.get_by_username("ADA_l") == ADA)
        stage.expect(
            "by e-mail: ada@example.ORG", await users.get_by_email("ada@example.ORG") == ADA
        )
        stage.expect("bob is nobody", await users.get_by_username("bob") is None)


async def ownership(stage: Stage, store: Store) -> None:
    stage.step("Who asks says for whom: what belongs to somebody else does not exist")
    unknown = new_id()
    async with store.reading() as repositories:
        with stage.expect_refusal("ada's workspace, asked for by eve", NotFound, str(THESIS.id)):
            await repositories.workspaces.get(EVE.id, THESIS.id)
        with stage.expect_refusal("an id that was never given", NotFound, str(unknown)):
            await repositories.workspaces.get(EVE.id, unknown)
        with stage.expect_refusal("ada's repo", NotFound, "repo-not-found"):
            await repositories.repos.get(EVE.id, REPOS[0].id)
        with stage.expect_refusal("ada's profile", NotFound, "user-profile-not-found"):
            await repositories.user_profiles.get(EVE.id, ADA.id)
        with stage.expect_refusal("a list of ada's", NotFound, "workspace-not-found"):
            await repositories.repos.page(EVE.id, THESIS.id, PageRequest(limit=10))
        mine = await repositories.workspaces.page(EVE.id, EVE.id, PageRequest(limit=10))
        stage.expect("an empty list of one's own is just empty", mine == Page([], None))


async def pages(stage: Stage, store: Store) -> None:
    stage.step("A list is walked page by page, from the last thing seen and not by counting")
    walked = await walk(store, repos, THESIS.id, PageRequest(limit=10))
    stage.table(
        "page",
        "repos",
        "from",
        "to",
        rows=[
            (number, len(page), page[0].name, page[-1].name)
            for number, page in enumerate(walked, start=1)
        ],
    )
    stage.expect("three pages", [len(page) for page in walked] == [10, 10, 3])
    stage.expect("each repo once, in the order they were made", flat(walked) == REPOS)
    request = PageRequest(limit=7, descending=True)
    back = await walk(store, repos, THESIS.id, request)
    stage.expect("and backwards", flat(back) == REPOS[::-1])


async def a_list_that_changes(stage: Stage, store: Store) -> None:
    stage.step("What stood there all along is neither skipped nor repeated when others come and go")
    request = PageRequest(limit=10)
    async with store.reading() as repositories:
        first = await repositories.repos.page(ADA.id, THESIS.id, request)
    async with store.unit_of_work() as uow:
        await uow.repos.remove(REPOS[2])
        await uow.repos.add(Repo(workspace_id=THESIS.id, name="late", path="/r"))
        await uow.commit()
    async with store.reading() as repositories:
        second = await repositories.repos.page(
            ADA.id, THESIS.id, PageRequest(limit=10, after=first.next)
        )
    stage.expect("repo-02 was removed after page 1", REPOS[2] in first.items)
    stage.expect("page 2 begins at repo-10 all the same", second.items[0] == REPOS[10])


async def sorting(stage: Stage, store: Store) -> None:
    stage.step("By name: case falls away, then code point by code point, alike on every database")
    async with store.unit_of_work() as uow:
        for name in NAMES:
            await uow.vaults.add(Vault(workspace_id=THESIS.id, name=name, path="/v"))
        await uow.commit()
    request = PageRequest(limit=3, sort="name")
    names = [each.name for each in flat(await walk(store, vaults, THESIS.id, request))]
    stage.table("made as", "sorted", rows=zip(NAMES, names, strict=True))
    # Beyond ASCII it is no alphabet's order: ä, å and é are U+00E4, U+00E5 and U+00E9.
    expected = ["apple", "Banana", "banana bread", "Zebra", "ärger", "Ångström", "école"]
    stage.expect("sorted", names == expected)
    descending = PageRequest(limit=3, sort="name", descending=True)
    names = [each.name for each in flat(await walk(store, vaults, THESIS.id, descending))]
    stage.expect("and the other way round", names == expected[::-1])


async def searching(stage: Stage, store: Store) -> None:
    stage.step("Lists are searched by a part of the name, and filtered")

    async def found(text: str) -> list[str]:
        request = PageRequest(limit=50, sort="name", text=text)
        return [each.name for each in flat(await walk(store, vaults, THESIS.id, request))]

    searches = {text: await found(text) for text in ("BANANA", "É", "%", "_")}
    stage.table("q", "found", rows=[(text, ", ".join(names)) for text, names in searches.items()])
    stage.expect("case does not matter", searches["BANANA"] == ["Banana", "banana bread"])
    stage.expect("beyond ASCII neither", searches["É"] == ["école"])
    stage.expect("% and _ are no wildcards", searches["%"] == searches["_"] == [])
    async with store.reading() as repositories:
        percent = await repositories.workspaces.page(ADA.id, ADA.id, PageRequest(limit=9, text="%"))
        research = await repositories.workspaces.page(
            ADA.id, ADA.id, PageRequest(limit=9, filters={"workspace_type": WorkspaceType.RESEARCH})
        )
    stage.expect("but can be looked for", list(percent.items) == [CELLAR])
    stage.expect("by type: research", list(research.items) == [THESIS])


async def stale_states(stage: Stage, store: Store) -> None:
    stage.step("Nobody overwrites a state that they have not seen, or takes a name that is taken")
    newer = THESIS.updated({"description": "Notes and proofs."})
    async with store.unit_of_work() as uow:
        await uow.workspaces.save(newer)
        await uow.commit()
    with stage.expect_refusal("a change of version 1, which is version 2 now", TransactionConflict):
        async with store.unit_of_work() as uow:
            await uow.workspaces.save(THESIS.updated({"description": "Overwritten."}))
    with stage.expect_refusal("another THESIS", AlreadyExists, "workspace-name-taken"):
        async with store.unit_of_work() as uow:
            await uow.workspaces.add(Workspace(user_profile_id=ADA.id, name="THESIS"))
    async with store.reading() as repositories:
        present = await repositories.workspaces.get(ADA.id, THESIS.id)
    stage.expect("it is as it was", present == newer)


async def walk(
    store: Store,
    noun: Callable[[Repositories], PagedRepository[E]],
    parent_id: UUID,
    request: PageRequest,
) -> list[list[E]]:
    """All pages of a list of ada's, from the first to the last."""
    async with store.reading() as repositories:
        page = await noun(repositories).page(ADA.id, parent_id, request)
        walked = [list(page.items)]
        while page.next is not None:
            following = replace(request, after=page.next)
            page = await noun(repositories).page(ADA.id, parent_id, following)
            walked.append(list(page.items))
    return walked


def flat(pages: Sequence[Sequence[E]]) -> list[E]:
    return [each for page in pages for each in page]


def repos(repositories: Repositories) -> RepoRepository:
    return repositories.repos


def vaults(repositories: Repositories) -> VaultRepository:
    return repositories.vaults


if __name__ == "__main__":
    perform(story)
