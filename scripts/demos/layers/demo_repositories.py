"""Repositories: storing entities, ownership, look-ups, and lists page by page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from scripts.demos.support.in_memory import store_in_memory
from scripts.demos.support.stage import Stage, perform
from symphony.domain.base import E, Page, PagedRepository, PageRequest, new_id
from symphony.domain.errors import AlreadyExists, NotFound
from symphony.domain.reach import Reach
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
    stage.step("Repositories store entities and return them unchanged")
    async with store.unit_of_work() as uow:
        await uow.user_profiles.add(ADA)
        await uow.user_profiles.add(EVE)
        await uow.workspaces.add(THESIS)
        await uow.workspaces.add(CELLAR)
        for repo in REPOS:
            await uow.repos.add(repo)
        await uow.commit()
    async with store.reading() as repositories:
        stage.expect(
            "the user is returned as it was stored",
            await repositories.user_profiles.get(Reach(ADA.id), ADA.id) == ADA,
        )
        stage.expect(
            "so is the workspace",
            await repositories.workspaces.get(Reach(ADA.id), THESIS.id) == THESIS,
        )
        stage.expect(
            "so is the repo", await repositories.repos.get(Reach(ADA.id), REPOS[7].id) == REPOS[7]
        )


async def look_ups(stage: Stage, store: Store) -> None:
    stage.step("Users are found by user name or e-mail address, in any case")
    async with store.reading() as repositories:
        users = repositories.user_profiles
        stage.expect(
            "`ADA_l` finds Ada_L by user name", await users.get_by_username("ADA_l") == ADA
        )
        stage.expect(
            "`ada@example.ORG` finds her by e-mail address",
            await users.get_by_email("ada@example.ORG") == ADA,
        )
        stage.expect(
            "an unknown user name finds nothing", await users.get_by_username("bob") is None
        )


async def ownership(stage: Stage, store: Store) -> None:
    stage.step("Every look-up takes the owner: other users find nothing")
    unknown = new_id()
    async with store.reading() as repositories:
        with stage.expect_refusal("eve reads ada's workspace", NotFound, str(THESIS.id)):
            await repositories.workspaces.get(Reach(EVE.id), THESIS.id)
        with stage.expect_refusal("eve reads an id that does not exist", NotFound, str(unknown)):
            await repositories.workspaces.get(Reach(EVE.id), unknown)
        with stage.expect_refusal("eve reads ada's repo", NotFound, "repo-not-found"):
            await repositories.repos.get(Reach(EVE.id), REPOS[0].id)
        with stage.expect_refusal("eve reads ada's profile", NotFound, "user-profile-not-found"):
            await repositories.user_profiles.get(Reach(EVE.id), ADA.id)
        with stage.expect_refusal(
            "eve lists repos of ada's workspace", NotFound, "workspace-not-found"
        ):
            await repositories.repos.page(Reach(EVE.id), THESIS.id, PageRequest(limit=10))
        mine = await repositories.workspaces.page(Reach(EVE.id), EVE.id, PageRequest(limit=10))
        stage.expect("eve's own list is empty", mine == Page([], None))


async def pages(stage: Stage, store: Store) -> None:
    stage.step("A page continues after the last item seen, not after a count")
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
    stage.why("page 1,000 is as quick as page 1, and others may add and delete meanwhile.")
    stage.expect(
        "three pages hold 10, 10 and 3 repos", [len(page) for page in walked] == [10, 10, 3]
    )
    stage.expect("each repo appears once, in the order of creation", flat(walked) == REPOS)
    request = PageRequest(limit=7, descending=True)
    back = await walk(store, repos, THESIS.id, request)
    stage.expect("a descending list has the reverse order", flat(back) == REPOS[::-1])


async def a_list_that_changes(stage: Stage, store: Store) -> None:
    stage.step("Nothing is skipped or repeated when others add and delete")
    request = PageRequest(limit=10)
    async with store.reading() as repositories:
        first = await repositories.repos.page(Reach(ADA.id), THESIS.id, request)
    async with store.unit_of_work() as uow:
        await uow.repos.remove(REPOS[2])
        await uow.repos.add(Repo(workspace_id=THESIS.id, name="late", path="/r"))
        await uow.commit()
    async with store.reading() as repositories:
        second = await repositories.repos.page(
            Reach(ADA.id), THESIS.id, PageRequest(limit=10, after=first.next)
        )
    stage.expect("repo-02 is deleted after page 1 has been read", REPOS[2] in first.items)
    stage.expect("page 2 still starts with repo-10", second.items[0] == REPOS[10])


async def sorting(stage: Stage, store: Store) -> None:
    stage.step("Sorting by name ignores case, and is the same on every database")
    async with store.unit_of_work() as uow:
        for name in NAMES:
            await uow.vaults.add(Vault(workspace_id=THESIS.id, name=name, path="/v"))
        await uow.commit()
    request = PageRequest(limit=3, sort="name")
    names = [each.name for each in flat(await walk(store, vaults, THESIS.id, request))]
    stage.table("created as", "sorted", rows=zip(NAMES, names, strict=True))
    # Beyond ASCII the order is by code point: ä, å and é are U+00E4, U+00E5 and U+00E9.
    expected = ["apple", "Banana", "banana bread", "Zebra", "ärger", "Ångström", "école"]
    stage.expect("names are in the expected order", names == expected)
    descending = PageRequest(limit=3, sort="name", descending=True)
    names = [each.name for each in flat(await walk(store, vaults, THESIS.id, descending))]
    stage.expect("a descending list has the reverse order", names == expected[::-1])


async def searching(stage: Stage, store: Store) -> None:
    stage.step("Lists are searched by a part of the name, and filtered")

    async def found(text: str) -> list[str]:
        request = PageRequest(limit=50, sort="name", text=text)
        return [each.name for each in flat(await walk(store, vaults, THESIS.id, request))]

    searches = {text: await found(text) for text in ("BANANA", "É", "%", "_")}
    stage.table("q", "found", rows=[(text, ", ".join(names)) for text, names in searches.items()])
    stage.why("a search finds what a person expects, and a percent sign is just a character.")
    stage.expect("case is ignored", searches["BANANA"] == ["Banana", "banana bread"])
    stage.expect("also beyond ASCII", searches["É"] == ["école"])
    stage.expect("% and _ are not wildcards", searches["%"] == searches["_"] == [])
    async with store.reading() as repositories:
        percent = await repositories.workspaces.page(
            Reach(ADA.id), ADA.id, PageRequest(limit=9, text="%")
        )
        research = await repositories.workspaces.page(
            Reach(ADA.id),
            ADA.id,
            PageRequest(limit=9, filters={"workspace_type": WorkspaceType.RESEARCH}),
        )
    stage.expect("% is found where a name contains it", list(percent.items) == [CELLAR])
    stage.expect("a filter selects a type", list(research.items) == [THESIS])


async def stale_states(stage: Stage, store: Store) -> None:
    stage.step("A stale update and a taken name are refused")
    newer = THESIS.updated({"description": "Notes and proofs."})
    async with store.unit_of_work() as uow:
        await uow.workspaces.save(newer)
        await uow.commit()
    with stage.expect_refusal(
        "an update of version 1 after version 2 was saved", TransactionConflict
    ):
        async with store.unit_of_work() as uow:
            await uow.workspaces.save(THESIS.updated({"description": "Overwritten."}))
    with stage.expect_refusal("a second workspace THESIS", AlreadyExists, "workspace-name-taken"):
        async with store.unit_of_work() as uow:
            await uow.workspaces.add(Workspace(user_profile_id=ADA.id, name="THESIS"))
    async with store.reading() as repositories:
        current = await repositories.workspaces.get(Reach(ADA.id), THESIS.id)
    stage.expect("version 2 is unchanged", current == newer)


async def walk(
    store: Store,
    noun: Callable[[Repositories], PagedRepository[E]],
    parent_id: UUID,
    request: PageRequest,
) -> list[list[E]]:
    """All pages of a list of ada's, from the first to the last."""
    async with store.reading() as repositories:
        page = await noun(repositories).page(Reach(ADA.id), parent_id, request)
        walked = [list(page.items)]
        while page.next is not None:
            following = replace(request, after=page.next)
            page = await noun(repositories).page(Reach(ADA.id), parent_id, following)
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
