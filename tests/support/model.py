"""A model of the API in plain dictionaries, to compare the service with.

It imports nothing of the service, so that it can be checked by reading.
"""

import json
import unicodedata
from dataclasses import dataclass, field
from typing import Any, cast

from tests.support.api import utc

JsonObject = dict[str, Any]
Request = tuple[str, JsonObject]  # a path and a body
LIMITS = {
    "max_workspaces_per_user": 3,
    "max_repos_per_workspace": 4,
    "max_vaults_per_workspace": 3,
}
_FILTERED = {"type": "workspace_type", "is_locked": "is_locked"}
_NO_FOLDER_NAME = frozenset('/\\<>:"|?*')


@dataclass(frozen=True, slots=True, repr=False)
class Noun:
    """The properties in which nouns differ."""

    name: str
    details: str
    """Its field that holds any JSON object."""
    parent: "Noun | None" = None
    limit: int = 0
    defaults: JsonObject = field(default_factory=dict[str, Any])
    """The values of optional fields, and of fields that only the service sets."""
    settable: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    named: str = "name"
    is_folder: bool = False

    def __repr__(self) -> str:
        return self.name.replace("-", "_").upper()

    @property
    def id_field(self) -> str:
        """The field of a child that holds the id of this noun."""
        return f"{self.name}_id".replace("-", "_")

    def collection(self, parent_id: str) -> str:
        assert self.parent is not None
        return f"/{self.parent.name}s/{parent_id}/{self.name}s"

    def body(self, values: JsonObject) -> JsonObject:
        """Those values that belong to fields of this noun which clients can set."""
        known = self.settable | {self.named, self.details}
        renamed = {self.details if name == "details" else name: values[name] for name in values}
        return {name: value for name, value in renamed.items() if name in known}


PROFILE = Noun("user-profile", "preferences", named="username")
WORKSPACE = Noun(
    "workspace",
    "settings",
    PROFILE,
    LIMITS["max_workspaces_per_user"],
    {"description": None, "workspace_type": "general", "settings": {}},
    frozenset({"description", "workspace_type"}),
    frozenset({"type"}),
)
REPO = Noun(
    "repo",
    "metadata",
    WORKSPACE,
    LIMITS["max_repos_per_workspace"],
    {"remote_url": None, "metadata": {}, "last_synced": None},
    frozenset({"path", "remote_url"}),
    is_folder=True,
)
VAULT = Noun(
    "vault",
    "metadata",
    WORKSPACE,
    LIMITS["max_vaults_per_workspace"],
    {"metadata": {}, "is_locked": False, "protection": "none"},
    frozenset({"path"}),
    frozenset({"is_locked"}),
    is_folder=True,
)
NOUNS = (PROFILE, WORKSPACE, REPO, VAULT)


class Refused(Exception):
    """The expected response is this problem, with these members and errors."""

    def __init__(self, problem: str, *faults: tuple[str, str], **members: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.faults = faults
        self.members = members


@dataclass(slots=True)
class Thing:
    """An entity; a deleted one is kept, because requests can still name it."""

    noun: Noun
    owner: str
    shown: JsonObject
    """The body of its GET."""
    etags: list[str]
    """The ETags of all its states, the current one last."""
    is_gone: bool = False

    @property
    def id(self) -> str:
        return self.shown["id"]

    @property
    def path(self) -> str:
        return f"/{self.noun.name}s/{self.id}"

    @property
    def key(self) -> str:
        return comparison_key(self.shown[self.noun.named])


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a list; `filters` maps parameter names to values."""

    sort: str = "created_at"
    q: str = ""
    limit: int = 200
    filters: JsonObject = field(default_factory=dict[str, Any])

    @property
    def parameters(self) -> JsonObject:
        return {"sort": self.sort, "q": self.q, "limit": self.limit, **self.filters}


class Model:
    """The entities of all users, and how requests change them."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self._created_under: dict[tuple[str, str], tuple[str, str]] = {}

    def keep(self, noun: Noun, owner: str, shown: JsonObject, etag: str) -> None:
        """Store a created entity."""
        self.things[shown["id"]] = Thing(noun, owner, shown, [etag])

    def keep_answer(self, asker: str, key: str, request: Request, answer: str) -> None:
        """Store the response for retries of a request with the same idempotency key."""
        self._created_under[asker, key] = (_canonical(request), answer)

    def first_answer(self, asker: str, noun: Noun, key: str | None, request: Request) -> str | None:
        """The response that a retry must return, if any. Raises: Refused."""
        self._identify(asker)
        self._check(noun, request[1])
        before = self._created_under.get((asker, key)) if key else None
        if before is None:
            return None
        if before[0] != _canonical(request):
            raise Refused("422 idempotency-key-reused")
        return before[1]

    def create(self, asker: str, noun: Noun, parent_id: str, body: JsonObject) -> JsonObject:
        """The fields of the new entity except id and times. Raises: Refused."""
        assert noun.parent is not None
        self._check(noun, body)
        self.find(asker, noun.parent, parent_id)
        siblings = self.inside(parent_id, noun)
        self._require_room(siblings, noun)
        body = _trimmed(body)
        self._require_free_name(siblings, noun, body["name"])
        return {**noun.defaults, **body, "version": 1, noun.parent.id_field: parent_id}

    def change(
        self, asker: str, thing: Thing, patch: JsonObject, if_match: str | None
    ) -> JsonObject:
        """The fields after the change except its time. Raises: Refused."""
        self._identify(asker)
        self._check(thing.noun, patch)
        target = self.things.get(patch.get("workspace_id", ""))
        if target is not None and (target.is_gone or target.owner != asker):
            raise Refused("422 validation-error", ("/workspace_id", "workspace-not-found"))
        self._find_in_state(asker, thing, if_match)
        if thing.shown.get("is_locked"):
            raise Refused("423 vault-locked")
        patch = _trimmed(patch)
        after = _next({**thing.shown, **{n: _merged(thing.shown[n], patch[n]) for n in patch}})
        if alike({**after, "version": thing.shown["version"]}, thing.shown):
            return thing.shown
        siblings = [each for each in self._siblings(thing.noun, after) if each is not thing]
        if target is not None and target.id != thing.shown["workspace_id"]:
            self._require_room(siblings, thing.noun)
        self._require_free_name(siblings, thing.noun, after[thing.noun.named])
        return after

    def lock(self, asker: str, thing: Thing, if_match: str | None, *, locked: bool) -> JsonObject:
        """The fields after the change except its time. Raises: Refused."""
        self._find_in_state(asker, thing, if_match)
        if thing.shown["is_locked"] == locked:
            return thing.shown
        return _next({**thing.shown, "is_locked": locked})

    def remove(self, asker: str, thing: Thing, if_match: str | None, *, force: bool) -> None:
        """Raises: Refused."""
        self._find_in_state(asker, thing, if_match)
        held = [
            each
            for noun in NOUNS
            if noun.parent is thing.noun
            for each in self.inside(thing.id, noun)
        ]
        if thing.shown.get("is_locked") and not force:
            raise Refused("423 vault-locked")
        if thing.noun is PROFILE and held:
            raise Refused("409 user-has-workspaces")
        if held and not force:
            raise Refused("409 workspace-not-empty")
        for each in (thing, *held):
            each.is_gone = True
        if thing.noun is PROFILE:
            others = self._created_under.items()
            self._created_under = {name: created for name, created in others if name[0] != asker}

    def stats(self, asker: str, workspace_id: str) -> JsonObject:
        """Raises: Refused."""
        self.find(asker, WORKSPACE, workspace_id)
        repos, vaults = (len(self.inside(workspace_id, noun)) for noun in (REPO, VAULT))
        return {
            "workspace_id": workspace_id,
            "repo_count": repos,
            "vault_count": vaults,
            "total_resources": repos + vaults,
        }

    def listed(self, asker: str, noun: Noun, parent_id: str, query: Query) -> list[JsonObject]:
        """All items of a list, in order. Raises: Refused."""
        assert noun.parent is not None
        self.find(asker, noun.parent, parent_id)
        return self._selected(self.inside(parent_id, noun), query)

    def repos_of(self, asker: str, user_id: str, query: Query) -> list[JsonObject]:
        """All items of the list over all workspaces, in order. Raises: Refused."""
        self.find(asker, PROFILE, user_id)
        return self._selected([each for each in self.present(REPO) if each.owner == user_id], query)

    @staticmethod
    def _selected(things: list[Thing], query: Query) -> list[JsonObject]:
        field_name = query.sort.removeprefix("-")

        def place(thing: Thing) -> tuple[Any, str]:
            return (thing.key if field_name == "name" else utc(thing.shown[field_name]), thing.id)

        return [
            thing.shown
            for thing in sorted(things, key=place, reverse=query.sort.startswith("-"))
            if comparison_key(query.q) in thing.key
            and all(thing.shown[_FILTERED[name]] == query.filters[name] for name in query.filters)
        ]

    def find(self, asker: str, noun: Noun, thing_id: str) -> Thing:
        """Return an entity. Raises: Refused, unless the asker owns it."""
        self._identify(asker)
        thing = self.things[thing_id]
        if thing.is_gone or thing.owner != asker or thing.noun is not noun:
            raise Refused(f"404 {noun.name}-not-found")
        return thing

    def inside(self, parent_id: str, noun: Noun) -> list[Thing]:
        assert noun.parent is not None
        field_name = noun.parent.id_field
        return [each for each in self.present(noun) if each.shown[field_name] == parent_id]

    def present(self, noun: Noun) -> list[Thing]:
        return [each for each in self.things.values() if each.noun is noun and not each.is_gone]

    def _identify(self, asker: str) -> None:
        """Raises: Refused when the asker was deleted: the access token ended with the profile."""
        if self.things[asker].is_gone:
            raise Refused("401 unauthenticated")

    def _siblings(self, noun: Noun, shown: JsonObject) -> list[Thing]:
        if noun.parent is None:
            return self.present(noun)
        return self.inside(shown[noun.parent.id_field], noun)

    def _find_in_state(self, asker: str, thing: Thing, if_match: str | None) -> None:
        self.find(asker, thing.noun, thing.id)
        if if_match not in {None, "*", thing.etags[-1]}:
            raise Refused("412 precondition-failed", current_version=thing.shown["version"])

    @staticmethod
    def _require_room(siblings: list[Thing], noun: Noun) -> None:
        if len(siblings) >= noun.limit:
            used = {"limit": noun.limit, "used": len(siblings)}
            raise Refused(f"409 {noun.name}-limit-reached", **used)

    @staticmethod
    def _require_free_name(siblings: list[Thing], noun: Noun, name: str) -> None:
        if comparison_key(name) in {each.key for each in siblings}:
            slug = "username" if noun is PROFILE else f"{noun.name}-name"
            raise Refused(f"409 {slug}-taken")

    @staticmethod
    def _check(noun: Noun, body: JsonObject) -> None:
        name, path = body.get("name", "fine").strip(), body.get("path", "/fine")
        wrong: list[tuple[str, str]] = []
        if not name:
            wrong.append(("/name", "too-short"))
        elif noun.is_folder and (name in {".", ".."} or _NO_FOLDER_NAME & set(name)):
            wrong.append(("/name", "not-a-folder-name"))
        if not path.startswith(("/", "~/")):
            wrong.append(("/path", "not-absolute"))
        if wrong:
            raise Refused("422 validation-error", *wrong)


def comparison_key(name: str) -> str:
    """Names are compared without regard to case and Unicode form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def alike(one: Any, other: Any) -> bool:
    """Whether both are the same JSON; in Python, 1, 1.0 and True are equal."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _trimmed(body: JsonObject) -> JsonObject:
    return {**body, "name": body["name"].strip()} if "name" in body else body


def _next(shown: JsonObject) -> JsonObject:
    return {**shown, "version": shown["version"] + 1}


def _merged(target: Any, patch: Any) -> Any:
    """A merge patch (RFC 7396, section 2), as the RFC words it."""
    if not isinstance(patch, dict):
        return patch
    result: JsonObject = dict(cast("JsonObject", target)) if isinstance(target, dict) else {}
    for name, value in cast("JsonObject", patch).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result
