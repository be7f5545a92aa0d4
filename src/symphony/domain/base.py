"""What all entities and all repositories have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar, cast
from uuid import UUID

# UUIDv7 (RFC 9562, section 5.7) is in the standard library from Python 3.14 on.
from uuid_utils.compat import uuid7

from symphony.domain import fields as rules
from symphony.domain.errors import FieldError, Invalid, PreconditionFailed, RuleBroken
from symphony.domain.json_objects import JsonObject, json_object, merge, same

Rule = Callable[[object], object]


def new_id() -> UUID:
    """A UUIDv7: ids sort by the time at which they were made."""
    return uuid7()


def utc_now() -> datetime:
    return datetime.now(UTC)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A thing with an identity, valid at all times: nothing invalid can be made or changed into.

    Construction applies the rule of each field, keeps what the rule gives back (a trimmed name,
    say) and raises Invalid with everything that is wrong. Entities are frozen: a change makes
    another one, through the same rules.
    """

    noun: ClassVar[str]
    rules: ClassVar[Mapping[str, Rule]]

    id: UUID = field(default_factory=new_id)
    version: int = 1
    created_at: datetime = field(default_factory=utc_now)
    updated_at: datetime = _LONG_AGO  # and so `created_at`, before which it never is

    def __post_init__(self) -> None:
        errors: list[FieldError] = []
        for name, rule in _rules(type(self)).items():
            given = getattr(self, name)
            try:
                kept = rule(given)
                if kept is not given:
                    object.__setattr__(self, name, kept)
            except RuleBroken as broken:
                errors.append(FieldError(name, broken.code, broken.detail))
        if errors:
            raise Invalid(errors)
        if self.updated_at < self.created_at:
            object.__setattr__(self, "updated_at", self.created_at)

    @classmethod
    def is_valid(cls, **values: object) -> bool:
        """Whether each of the given fields could hold the given value."""
        try:
            for name, value in values.items():
                _rules(cls)[name](value)
        except RuleBroken:
            return False
        return True

    @classmethod
    def restored(cls, values: Iterable[Any]) -> Self:
        """The entity that was stored with these values, in the order of its fields, as they are.

        Rules hold on the way in. A rule that has grown stricter since must not make what people
        have stored unreadable.
        """
        entity = object.__new__(cls)
        # Past the frozen `__setattr__`, and all fields in one step: lists are made of many.
        entity.__dict__.update(zip(_field_names(cls), values, strict=True))
        return entity

    @property
    def tag(self) -> str:
        """Names this state of this entity: another one whenever anything in it is another."""
        return f"{self.id.hex}-{self.version}"

    def require(self, expected_tags: frozenset[str] | None) -> None:
        """Raises PreconditionFailed when this state is none of the expected; None expects any."""
        if expected_tags is not None and self.tag not in expected_tags:
            raise PreconditionFailed(self.noun, self.version)

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """This entity with other values: the next version, or itself when nothing differs.

        The changes are a merge patch (RFC 7396): a JSON object is merged into the present one,
        everything else replaces what was there.

        Raises: Invalid.
        """
        values = {name: self._merged(name, value) for name, value in changes.items()}
        now = max(utc_now(), self.updated_at)
        candidate = replace(self, **values, version=self.version + 1, updated_at=now)
        if all(_equal(getattr(self, name), getattr(candidate, name)) for name in values):
            return self
        return candidate

    def _merged(self, name: str, value: object) -> object:
        present = getattr(self, name)
        if not (isinstance(present, Mapping) and isinstance(value, Mapping)):
            return value
        patch = rules.checked(name, json_object, cast("JsonObject", value))
        return merge(cast("JsonObject", present), patch)


_COMMON_RULES: dict[str, Rule] = {
    "id": rules.identity,
    "version": rules.positive,
    "created_at": rules.utc_time,
    "updated_at": rules.utc_time,
}


@cache
def _rules(entity: type[Entity]) -> Mapping[str, Rule]:
    return _COMMON_RULES | dict(entity.rules)


@cache
def _field_names(entity: type[Entity]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(entity))


def _equal(one: object, other: object) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return same(cast("JsonObject", one), cast("JsonObject", other))
    return one == other


E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a sorted list: an entity's sort value, and its id where values can be equal."""

    value: str | datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is wanted.

    At most `limit` entities that come after the position `after`, in the order of `sort`
    (`created_at`, `updated_at` or `name`), of those whose name contains `text` without regard to
    case and whose fields equal `filters`.
    """

    limit: int
    sort: str = "created_at"
    descending: bool = False
    after: Position | None = None
    text: str | None = None
    filters: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """One part of a list, and the position after which the next begins; None at the end."""

    items: Sequence[E]
    next: Position | None


class Repository(ABC, Generic[E]):
    """Keeps the entities of one noun.

    Whoever asks says for whom: what does not belong to `owner_id` is not found, in the same
    statement that looks for it.
    """

    @abstractmethod
    async def get(self, owner_id: UUID, entity_id: UUID) -> E:
        """The entity. Raises: NotFound."""

    @abstractmethod
    async def get_for_update(self, owner_id: UUID, entity_id: UUID) -> E:
        """The entity, which nobody else can change until this unit of work ends.

        Raises: NotFound.
        """

    @abstractmethod
    async def add(self, entity: E) -> None:
        """Keeps a new entity. Raises: AlreadyExists when its name is taken."""

    @abstractmethod
    async def save(self, entity: E) -> None:
        """Keeps another state of an entity that was got for change. Raises: AlreadyExists."""

    @abstractmethod
    async def remove(self, entity: E) -> None:
        """Removes an entity that was got for change, and all that it holds."""


class PagedRepository(Repository[E]):
    """Keeps entities that stand in a parent, and lists them."""

    @abstractmethod
    async def page(self, owner_id: UUID, parent_id: UUID, request: PageRequest) -> Page[E]:
        """One part of the entities in a parent. Raises: NotFound for the parent."""
