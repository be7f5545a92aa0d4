"""What the service has acknowledged, and what it may have done without an answer."""

import itertools
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, cast

from scripts.chaos.calls import Violation

Value = str | int | bool | None
Fields = dict[str, Value]
_OWN = {"version", "updated_at"}  # fields that the service changes with every update


class Fate(Enum):
    STAYS = auto()
    LEAVING = auto()  # a DELETE is in progress
    IN_DOUBT = auto()  # a DELETE was never answered
    GONE = auto()


@dataclass(eq=False, slots=True)
class User:
    """A user whose resources are written."""

    id: str
    token: str
    children: "list[Thing]" = field(default_factory=list["Thing"])

    @property
    def path(self) -> str:
        return f"/user-profiles/{self.id}"

    @property
    def user(self) -> "User":
        return self

    @property
    def living(self) -> "list[Thing]":
        """Its workspaces that are not deleted."""
        return living(self.children)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(eq=False, slots=True)
class Thing:
    """A workspace, a repo or a vault, as it was last acknowledged."""

    noun: str
    parent: "User | Thing"
    fields: Fields
    in_doubt: Fields = field(default_factory=dict[str, Value])
    """Updates that were sent and never answered."""
    fate: Fate = Fate.STAYS
    busy: int = 0
    """How many requests in progress update it, or create something in it."""
    held: set[str] = field(default_factory=set[str])
    """Fields that a request in progress updates."""
    children: "list[Thing]" = field(default_factory=list["Thing"])

    @property
    def path(self) -> str:
        return f"/{self.noun}s/{self.fields['id']}"

    @property
    def user(self) -> User:
        return self.parent.user

    @property
    def version(self) -> int:
        return cast("int", self.fields["version"])

    @property
    def is_usable(self) -> bool:
        """Whether it certainly exists, and no request in progress deletes it."""
        above = self.parent.fate if isinstance(self.parent, Thing) else Fate.STAYS
        return self.fate is Fate.STAYS and above is Fate.STAYS

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress that its deletion could overtake."""
        return not self.busy and not any(
            each.busy or each.fate is Fate.LEAVING for each in self.children
        )

    @property
    def living(self) -> "list[Thing]":
        """Its children that are not deleted."""
        return living(self.children)

    def acknowledge(self, name: str, answer: Fields) -> None:
        """Take over one acknowledged update; parallel ones may be answered in any order."""
        self.fields[name] = answer.get(name)
        if cast("int", answer["version"]) > self.version:
            self.fields |= {own: answer[own] for own in _OWN}

    def contradiction(self, read: Fields) -> str | None:
        """What was read and cannot be right; None when every acknowledged update is stored, and
        each update in doubt is stored or not."""
        for name in sorted((self.fields.keys() | read.keys()) - _OWN):
            acknowledged, found = self.fields.get(name), read.get(name)
            if found != acknowledged and not (
                name in self.in_doubt and found == self.in_doubt[name]
            ):
                return f"{name} is {found!r}, acknowledged was {acknowledged!r}"
        version = cast("int", read["version"])
        if not self.version <= version <= self.version + len(self.in_doubt):
            return f"version {version}, acknowledged was {self.version}"
        if version == self.version and read["updated_at"] != self.fields["updated_at"]:
            return "updated_at differs though the version is the same"
        return None

    def adopt(self, read: Fields) -> int:
        """Take over what was read; returns how many updates in doubt had been stored."""
        stored = sum(read.get(name) == value for name, value in self.in_doubt.items())
        self.fields = read
        self.in_doubt.clear()
        return stored


@dataclass(frozen=True, slots=True)
class Creation:
    """A request that creates a resource."""

    noun: str
    parent: User | Thing
    body: dict[str, Any]
    key: str | None

    @property
    def path(self) -> str:
        return f"{self.parent.path}/{self.noun}s"

    @property
    def headers(self) -> dict[str, str]:
        key = {} if self.key is None else {"Idempotency-Key": self.key}
        return self.parent.user.headers | key


class Model:
    """All resources that the service must hold; it may hold no other."""

    def __init__(self, users: list[User]) -> None:
        self.users = users
        self.things: list[Thing] = []
        self.unanswered: list[Creation] = []
        self.touched: set[Thing] = set()
        """Resources that were written since the last verification."""
        self.numbers = itertools.count(1)
        """For unique names and values."""
        self.acknowledged = 0
        """The number of acknowledged writes."""
        self.in_doubt = 0
        self.done_in_doubt = 0
        """How many of the writes in doubt turned out to be stored."""

    def doubt(self, thing: Thing) -> None:
        """Count a write that was never answered."""
        self.in_doubt += 1
        self.touched.add(thing)

    def acknowledge(self, thing: Thing) -> None:
        """Count an acknowledged write."""
        self.acknowledged += 1
        self.touched.add(thing)

    def add(self, creation: Creation, created: dict[str, Any]) -> Thing:
        """Take over what a 201 or a list says was created. Raises: Violation when it differs from
        the request."""
        thing = Thing(creation.noun, creation.parent, flat(created))
        if not thing.fields.items() >= flat(creation.body).items():
            raise Violation(f"{thing.path}: not created as requested")
        if isinstance(creation.parent, Thing) and creation.parent.fate is Fate.GONE:
            raise Violation(f"{thing.path}: created in a deleted workspace")
        creation.parent.children.append(thing)
        self.things.append(thing)
        self.touched.add(thing)
        return thing

    def remove(self, thing: Thing) -> None:
        """Take over a deletion, with all children."""
        for each in (thing, *thing.children):
            each.fate = Fate.GONE
            self.touched.add(each)


def living(things: list[Thing]) -> list[Thing]:
    return [each for each in things if each.fate is not Fate.GONE]


def flat(representation: dict[str, Any]) -> Fields:
    """Fields on one level: a member of an object is a field of its own, `metadata/color`."""
    fields: Fields = {}
    for name, value in representation.items():
        if isinstance(value, dict):
            members = cast("dict[str, Value]", value)
            fields |= {f"{name}/{member}": each for member, each in members.items()}
        else:
            fields[name] = value
    return fields


def patch_of(name: str, value: Value) -> dict[str, Any]:
    """The merge patch that updates one field."""
    outer, _, member = name.partition("/")
    return {outer: {member: value}} if member else {outer: value}
