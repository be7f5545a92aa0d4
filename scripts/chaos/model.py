"""What the service has acknowledged, and what it may have done without anybody being told."""

import itertools
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, cast

from scripts.chaos.calls import Violation

Value = str | int | bool | None
Fields = dict[str, Value]
_OWN = {"version", "updated_at"}  # what the service changes by itself when something is changed


class Fate(Enum):
    STAYS = auto()
    LEAVING = auto()  # a DELETE is under way
    IN_DOUBT = auto()  # a DELETE was never answered
    GONE = auto()


@dataclass(eq=False, slots=True)
class User:
    """Somebody who writes."""

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
        """What it has."""
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
    """Changes that were sent and never answered."""
    fate: Fate = Fate.STAYS
    busy: int = 0
    """How many requests are under way that change it, or make something in it."""
    held: set[str] = field(default_factory=set[str])
    """Fields that are being changed."""
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
        """Whether it is there for sure, and nobody is about to take it away."""
        above = self.parent.fate if isinstance(self.parent, Thing) else Fate.STAYS
        return self.fate is Fate.STAYS and above is Fate.STAYS

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way that its deletion, with all in it, could overtake."""
        return not self.busy and not any(
            each.busy or each.fate is Fate.LEAVING for each in self.children
        )

    @property
    def living(self) -> "list[Thing]":
        """What is in it."""
        return living(self.children)

    def acknowledge(self, name: str, answer: Fields) -> None:
        """Takes one change over; other changes of the same thing may be answered in any order."""
        self.fields[name] = answer.get(name)
        if cast("int", answer["version"]) > self.version:
            self.fields |= {own: answer[own] for own in _OWN}

    def contradiction(self, read: Fields) -> str | None:
        """What cannot be as it was read; None when each change acknowledged is there, and each
        one in doubt is there or not."""
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
            return "updated_at is another one with the same version"
        return None

    def adopt(self, read: Fields) -> int:
        """Takes over what was read; how many changes in doubt had been made."""
        made = sum(read.get(name) == value for name, value in self.in_doubt.items())
        self.fields = read
        self.in_doubt.clear()
        return made


@dataclass(frozen=True, slots=True)
class Creation:
    """A request that makes something."""

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
    """All that the service must hold, and nothing else may it hold."""

    def __init__(self, users: list[User]) -> None:
        self.users = users
        self.things: list[Thing] = []
        self.unanswered: list[Creation] = []
        self.touched: set[Thing] = set()
        """What was written to since it was verified the last time."""
        self.numbers = itertools.count(1)
        """For names and values that nothing else has."""
        self.acknowledged = 0
        """How many writes."""
        self.in_doubt = 0
        self.done_in_doubt = 0
        """How many of the writes in doubt turned out to have been done."""

    def doubt(self, thing: Thing) -> None:
        """Notes that a write was never answered."""
        self.in_doubt += 1
        self.touched.add(thing)

    def acknowledge(self, thing: Thing) -> None:
        """Notes that a write was acknowledged."""
        self.acknowledged += 1
        self.touched.add(thing)

    def add(self, creation: Creation, made: dict[str, Any]) -> Thing:
        """Takes over what a 201 or a list says was made. Raises: Violation when it was not asked
        for."""
        thing = Thing(creation.noun, creation.parent, flat(made))
        if not thing.fields.items() >= flat(creation.body).items():
            raise Violation(f"{thing.path}: not made as it was asked for")
        if isinstance(creation.parent, Thing) and creation.parent.fate is Fate.GONE:
            raise Violation(f"{thing.path}: made in a workspace that had been deleted")
        creation.parent.children.append(thing)
        self.things.append(thing)
        self.touched.add(thing)
        return thing

    def remove(self, thing: Thing) -> None:
        """Takes over that a thing is gone, with all that was in it."""
        for each in (thing, *thing.children):
            each.fate = Fate.GONE
            self.touched.add(each)


def living(things: list[Thing]) -> list[Thing]:
    return [each for each in things if each.fate is not Fate.GONE]


def flat(representation: dict[str, Any]) -> Fields:
    """One level of fields: a member of an object is a field of its own, `metadata/colour`."""
    fields: Fields = {}
    for name, value in representation.items():
        if isinstance(value, dict):
            members = cast("dict[str, Value]", value)
            fields |= {f"{name}/{member}": each for member, each in members.items()}
        else:
            fields[name] = value
    return fields


def patch_of(name: str, value: Value) -> dict[str, Any]:
    """The merge patch that changes one field."""
    outer, _, member = name.partition("/")
    return {outer: {member: value}} if member else {outer: value}
