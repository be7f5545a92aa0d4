"""Random requests in random order: the service responds as a model in plain dictionaries does.

With `HYPOTHESIS_PROFILE=long` in the environment there are more requests, different in each run.
"""

import asyncio
import itertools
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from symphony.config.settings import Settings
from tests.support.api import User, code, faults, running_api, sign_up, utc
from tests.support.model import (
    LIMITS,
    NOUNS,
    PROFILE,
    REPO,
    VAULT,
    WORKSPACE,
    JsonObject,
    Model,
    Noun,
    Query,
    Refused,
    Thing,
    alike,
)

pytestmark = pytest.mark.long

log = logging.getLogger(__name__)

Run = Callable[[Coroutine[Any, Any, Any]], Any]

EFFORTS = {
    "default": effort(deadline=None, max_examples=30, stateful_step_count=40, derandomize=True),
    "long": effort(deadline=None, max_examples=1000, stateful_step_count=60),
}
# What the shortest run must reach, for any noun; with less it would prove little.
TO_BE_MET = {
    *("200", "201", "201 again", "204", "304", "moved"),
    *("401 unauthenticated", "404 not-found", "412 precondition-failed"),
    *("409 name-taken", "409 limit-reached", "409 not-empty", "409 user-has-workspaces"),
    *("422 validation-error", "422 idempotency-key-reused", "423 locked"),
}
_NOUN = re.compile(r"(user-profile|workspace|repo|vault)-")

# Few names, so that they collide; the last three are not valid for every noun.
NAMES = st.sampled_from(
    (
        *("engine", "ENGINE", " engine ", "\uff45ngine", "Straße", "STRASSE", "caf\u00e9"),
        *("CAFE\u0301", "50%", "a_b", "axb", "a/b", "..", "  "),
    )
)
MEMBERS = st.sampled_from(("a", "b", "A", "\u00e9", ""))
VALUES = st.sampled_from(
    (None, True, False, 0, 1, 1.0, -0.0, 1e300, 10**40, "", "x", "\u00e9", [], [None, {"a": None}])
)
INNER = VALUES | st.dictionaries(MEMBERS, VALUES, max_size=2)
DETAILS = st.dictionaries(MEMBERS, INNER | st.dictionaries(MEMBERS, INNER, max_size=2), max_size=3)
NAMED: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "path": st.sampled_from(("~/x", "/x", "~/y", "/y", "~/z", "/z", "x")),
}
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "details": DETAILS,
    "description": st.sampled_from((None, "", "two\nlines")),
    "workspace_type": st.sampled_from(("general", "client")),
    "remote_url": st.sampled_from((None, "git@example.org:x", "https://example.org/x")),
}
NEW = st.fixed_dictionaries(NAMED, optional=OTHERS)
PATCHES = st.fixed_dictionaries(
    {"username": st.sampled_from(("eve", "Eve", "ADA", "new"))}, optional=NAMED | OTHERS
)
QUERIES = st.builds(
    Query,
    sort=st.sampled_from(
        [sign + name for sign in ("", "-") for name in ("created_at", "updated_at", "name")]
    ),
    q=st.sampled_from(("", "", "E", "ss", "\u00df", "%", "_", "\uff45")),
    limit=st.integers(1, 4),
)
FILTERS: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {}, optional={"type": OTHERS["workspace_type"], "is_locked": st.booleans()}
)
OWN = st.sampled_from((True, True, True, True, True, True, False))  # whether the owner asks: mostly
PICKS = st.sampled_from((0, 0, 0, 1, 2, 3, 5, 8))  # an index, modulo the number of entities
STATES = st.sampled_from(("any", "any", "any", "any", "*", "present", "past"))
KEYS = st.sampled_from(("one", "two", "three"))
FORCE = st.sampled_from((False, False, True))
CHILDREN = st.sampled_from((WORKSPACE, REPO, VAULT))
CONTENTS = st.sampled_from((REPO, VAULT))
TARGETS = st.sampled_from((1, 1, 0, 2))  # indexes; all is created in the first workspace
RENAMINGS: st.SearchStrategy[JsonObject] = st.fixed_dictionaries({}, optional={"name": NAMES})

_examples = itertools.count(1)


class ApiMachine(RuleBasedStateMachine):
    """Each rule sends a request, and compares the response with the model."""

    def __init__(self, run: Run, client: httpx.AsyncClient, tally: Counter[str]) -> None:
        super().__init__()
        self._run = run
        self._client = client
        self._tally = tally
        self._model = Model()
        self._number = next(_examples)
        self._people: list[User] = []
        self._sent: list[tuple[User, Noun, Thing, JsonObject, str]] = []
        self._agrees = True

    @initialize()
    def two_people_have_something(self) -> None:
        for name in ("ada", "eve"):
            user = self._run(sign_up(self._client, f"{name}_{self._number}"))
            profile = self._run(user.get("/user-profiles/me"))
            self._model.keep(PROFILE, user.id, profile.json(), profile.headers["etag"])
            self._people.append(user)
        ada, eve = self._people
        for user, name in ((ada, "engine"), (ada, "other"), (eve, "engine")):
            self._make(user, WORKSPACE, self._model.things[user.id], {"name": name})
        workspace = self._pick(WORKSPACE, 0)
        for noun, name in ((REPO, "engine"), (REPO, "other"), (VAULT, "engine")):
            self._make(ada, noun, workspace, {"name": name, "path": "~/x"})
        self._lock(ada, self._pick(VAULT, 0), "any", locked=True)

    @rule(own=OWN, noun=CHILDREN, pick=PICKS, values=NEW)
    def make(self, *, own: bool, noun: Noun, pick: int, values: JsonObject) -> None:
        parent = self._parent(noun, pick)
        self._make(self._asker(parent, own=own), noun, parent, values)

    @rule(own=OWN, noun=CHILDREN, pick=PICKS, values=NEW, key=KEYS)
    def make_with_a_key(
        self, *, own: bool, noun: Noun, pick: int, values: JsonObject, key: str
    ) -> None:
        parent = self._parent(noun, pick)
        user = self._asker(parent, own=own)
        self._sent.append((user, noun, parent, values, key))
        self._make(user, noun, parent, values, key)

    @precondition(lambda self: self.has_sent_keys)
    @rule(pick=PICKS, changed=st.sampled_from((False, False, True)))
    def make_the_same_again(self, *, pick: int, changed: bool) -> None:
        user, noun, parent, values, key = self._sent[pick % len(self._sent)]
        self._make(user, noun, parent, values | ({"name": "x"} if changed else {}), key)

    @rule(own=OWN, noun=st.sampled_from(NOUNS), pick=PICKS, patch=PATCHES, state=STATES)
    def change(self, *, own: bool, noun: Noun, pick: int, patch: JsonObject, state: str) -> None:
        thing = self._pick(noun, pick)
        user, body, tag = self._asker(thing, own=own), noun.body(patch), _tag(thing, state)
        if "username" in body:
            body["username"] += f"_{self._number}"
        answer = self._send(user, "PATCH", thing.path, {"If-Match": tag}, json=body)
        with self._compared(answer, 200):
            self._keep_change(thing, self._model.change(user.id, thing, body, tag), answer)

    @rule(noun=CONTENTS, pick=PICKS, to=TARGETS, name=RENAMINGS, state=STATES)
    def move(self, *, noun: Noun, pick: int, to: int, name: JsonObject, state: str) -> None:
        thing = self._pick(noun, pick)
        body = {"workspace_id": self._pick(WORKSPACE, to).id, **name}
        user, tag = self._asker(thing, own=True), _tag(thing, state)
        answer = self._send(user, "PATCH", thing.path, {"If-Match": tag}, json=body)
        with self._compared(answer, 200):
            before = thing.shown["workspace_id"]
            self._keep_change(thing, self._model.change(user.id, thing, body, tag), answer)
            self._tally["moved"] += thing.shown["workspace_id"] != before

    @rule(own=OWN, pick=PICKS, locked=st.booleans(), state=STATES)
    def lock_or_unlock(self, *, own: bool, pick: int, locked: bool, state: str) -> None:
        thing = self._pick(VAULT, pick)
        self._lock(self._asker(thing, own=own), thing, state, locked=locked)

    @rule(own=OWN, noun=CHILDREN, pick=PICKS, force=FORCE, state=STATES)
    def remove(self, *, own: bool, noun: Noun, pick: int, force: bool, state: str) -> None:
        thing = self._pick(noun, pick)
        user = self._asker(thing, own=own)
        self._remove(user, thing, state, force=force and noun is not REPO)

    @precondition(lambda self: self.can_delete_a_profile)
    @rule(own=OWN, pick=PICKS, state=STATES)
    def remove_profile(self, *, own: bool, pick: int, state: str) -> None:
        thing = self._pick(PROFILE, pick)
        self._remove(self._asker(thing, own=own), thing, state, force=False)

    @rule(own=OWN, noun=st.sampled_from(NOUNS), pick=PICKS, state=STATES)
    def read(self, *, own: bool, noun: Noun, pick: int, state: str) -> None:
        thing = self._pick(noun, pick)
        self._read(self._asker(thing, own=own), thing, state)

    @rule(own=OWN, pick=PICKS)
    def count(self, *, own: bool, pick: int) -> None:
        thing = self._pick(WORKSPACE, pick)
        user = self._asker(thing, own=own)
        answer = self._send(user, "GET", f"{thing.path}/stats")
        with self._compared(answer, 200):
            assert answer.json() == self._model.stats(user.id, thing.id)

    @rule(own=OWN, noun=CHILDREN, pick=PICKS, query=QUERIES, filters=FILTERS)
    def list_some(
        self, *, own: bool, noun: Noun, pick: int, query: Query, filters: JsonObject
    ) -> None:
        parent = self._parent(noun, pick)
        query = replace(
            query, filters={name: filters[name] for name in filters.keys() & noun.filters}
        )
        user = self._asker(parent, own=own)
        self._list(
            *(user, noun.collection(parent.id), query),
            lambda: self._model.listed(user.id, noun, parent.id, query),
        )

    @rule(own=OWN, pick=PICKS, query=QUERIES)
    def list_everywhere(self, *, own: bool, pick: int, query: Query) -> None:
        profile = self._pick(PROFILE, pick)
        user = self._asker(profile, own=own)
        self._list(
            *(user, f"{profile.path}/repos", query),
            lambda: self._model.repos_of(user.id, profile.id, query),
        )

    def teardown(self) -> None:
        """Compare all entities with the model at the end."""
        if not self._agrees:
            return  # that failure is reported
        for user in self._people:
            self._read(user, self._model.things[user.id], "any")
        for thing in (each for noun in (PROFILE, WORKSPACE) for each in self._model.present(noun)):
            for noun in (each for each in NOUNS if each.parent is thing.noun):
                owner, query = self._asker(thing, own=True), Query()
                listed = self._model.listed(owner.id, noun, thing.id, query)
                self._list(owner, noun.collection(thing.id), query, lambda: listed)  # noqa: B023 - called at once

    @property
    def has_sent_keys(self) -> bool:
        return bool(self._sent)

    @property
    def can_delete_a_profile(self) -> bool:
        """Whether a profile may be deleted: without the last one no rule could run."""
        return len(self._model.present(PROFILE)) == 2

    def _make(
        self, user: User, noun: Noun, parent: Thing, values: JsonObject, key: str | None = None
    ) -> None:
        path, body = noun.collection(parent.id), noun.body(values)
        answer = self._send(user, "POST", path, {"Idempotency-Key": key}, json=body)
        with self._compared(answer, 201):
            first = self._model.first_answer(user.id, noun, key, (path, body))
            assert answer.headers.get("idempotency-replayed") == (first and "true")
            if first is not None:
                assert answer.text == first
                self._tally["201 again"] += 1
                return
            expected = self._model.create(user.id, noun, parent.id, body)
            shown = answer.json()
            assert shown["created_at"] == shown["updated_at"]
            set_by_server = {name: shown[name] for name in ("id", "created_at", "updated_at")}
            assert alike(shown, expected | set_by_server)
            self._model.keep(noun, user.id, shown, answer.headers["etag"])
            if key:
                self._model.keep_answer(user.id, key, (path, body), answer.text)

    def _lock(self, user: User, thing: Thing, state: str, *, locked: bool) -> None:
        tag, verb = _tag(thing, state), "lock" if locked else "unlock"
        answer = self._send(user, "POST", f"{thing.path}/{verb}", {"If-Match": tag})
        with self._compared(answer, 200):
            after = self._model.lock(user.id, thing, tag, locked=locked)
            self._keep_change(thing, after, answer)

    def _keep_change(self, thing: Thing, expected: JsonObject, answer: httpx.Response) -> None:
        shown, etag = answer.json(), answer.headers["etag"]
        for name in (
            "session",
            "unlocked_until",
        ):  # fields of an unlock, which are null without a passphrase
            assert shown.pop(name, None) is None
        if expected is thing.shown:
            assert alike(shown, expected)
            assert etag == thing.etags[-1]
            return
        assert utc(shown["updated_at"]) >= utc(thing.shown["updated_at"])
        assert alike(shown, expected | {"updated_at": shown["updated_at"]})
        assert etag not in thing.etags
        thing.shown = shown
        thing.etags.append(etag)

    def _remove(self, user: User, thing: Thing, state: str, *, force: bool) -> None:
        tag = _tag(thing, state)
        path = f"{thing.path}?force=true" if force else thing.path
        answer = self._send(user, "DELETE", path, {"If-Match": tag})
        with self._compared(answer, 204):
            self._model.remove(user.id, thing, tag, force=force)

    def _read(self, user: User, thing: Thing, state: str) -> None:
        known = _tag(thing, state)
        answer = self._send(user, "GET", thing.path, {"If-None-Match": known})
        with self._compared(answer, 304 if known in {"*", thing.etags[-1]} else 200):
            shown = self._model.find(user.id, thing.noun, thing.id).shown
            assert answer.headers["etag"] == thing.etags[-1]
            assert answer.status_code == 304 or alike(answer.json(), shown)

    def _list(
        self, user: User, path: str, query: Query, listed: Callable[[], list[JsonObject]]
    ) -> None:
        items: list[JsonObject] = []
        cursor: str | None = ""
        while cursor is not None:
            given = query.parameters | ({"cursor": cursor} if cursor else {})
            answer = self._send(user, "GET", path, params=given)
            cursor = None
            with self._compared(answer, 200):
                expected = listed()
                page = answer.json()
                items += page["items"]
                cursor = page["next_cursor"]
                assert (cursor is None) == (len(items) == len(expected))
                assert alike(items, expected[: len(items)])
                assert cursor is None or len(page["items"]) == query.limit

    def _asker(self, thing: Thing, *, own: bool) -> User:
        """The owner of the entity, or the other user."""
        return next(user for user in self._people if (user.id == thing.owner) == own)

    def _parent(self, noun: Noun, pick: int) -> Thing:
        assert noun.parent is not None
        return self._pick(noun.parent, pick)

    def _pick(self, noun: Noun, pick: int) -> Thing:
        """One of all entities, including deleted ones."""
        things = [each for each in self._model.things.values() if each.noun is noun]
        return things[pick % len(things)]

    def _send(
        self,
        user: User,
        method: str,
        path: str,
        headers: dict[str, str | None] | None = None,
        **options: Any,
    ) -> httpx.Response:
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        return self._run(user.request(method, path, headers=given, **options))

    @contextmanager
    def _compared(self, answer: httpx.Response, status: int) -> Generator[None]:
        """Expect the refusal of the model, if any, from the service too."""
        self._agrees = False
        refusal: Refused | None = None
        try:
            yield
        except Refused as refused:
            refusal = refused
        if refusal is None:
            assert answer.status_code == status, answer.text
        else:
            assert code(answer) == refusal.problem
            assert sorted(refusal.faults) == sorted(faults(answer) if refusal.faults else [])
            problem = answer.json()
            assert {name: problem[name] for name in refusal.members} == refusal.members
        self._tally[refusal.problem if refusal else str(status)] += 1
        self._agrees = True


def _tag(thing: Thing, state: str) -> str | None:
    """An ETag for If-Match."""
    past = thing.etags[0] if len(thing.etags) > 1 else '"never"'
    return {"any": None, "*": "*", "present": thing.etags[-1], "past": past}[state]


def test_the_service_responds_as_the_model(settings: Settings) -> None:
    tally: Counter[str] = Counter()
    chosen = EFFORTS[os.environ.get("HYPOTHESIS_PROFILE", "default")]
    with asyncio.Runner() as runner:
        service = running_api(settings.model_copy(update=LIMITS))
        client = runner.run(service.__aenter__())

        class OnThisStore(ApiMachine):
            def __init__(self) -> None:
                super().__init__(runner.run, client, tally)

        try:
            run_state_machine_as_test(OnThisStore, settings=chosen)
        finally:
            runner.run(service.__aexit__(None, None, None))
    log.info("%d answers compared: %s", tally.total(), sorted(tally.items()))
    assert {_NOUN.sub("", met) for met in tally} >= TO_BE_MET


async def test_an_idempotency_key_does_not_outlive_its_user(ada: User) -> None:
    workspaces = f"/user-profiles/{ada.id}/workspaces"
    repos = f"/workspaces/{(await ada.workspace())['id']}/repos"
    assert (await ada.delete(repos.removesuffix("/repos"))).status_code == 204
    assert (await ada.delete(f"/user-profiles/{ada.id}")).status_code == 204
    for path, body in (
        (workspaces, {"name": "new"}),
        (repos, {"name": "new", "path": "/new"}),
    ):
        for headers in ({}, {"Idempotency-Key": "k"}):
            assert code(await ada.post(path, body, headers=headers)) == "401 unauthenticated"
