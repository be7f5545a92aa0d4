"""The bases of all entities and all repositories."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast
from uuid import UUID

# UUIDv7 (RFC 9562, section 5.7) is in the standard library from Python 3.14 on.
from uuid_utils.compat import uuid7

from symphony.domain import fields as rules
from symphony.domain.errors import FieldError, Invalid, PreconditionFailed, RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, json_object, merge, same
from symphony.domain.reach import Reach

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Rule = Callable[[object], object]


def new_id() -> UUID:
    """A UUIDv7: ids sort by the time at which they were generated."""
    return uuid7()


def utc_now() -> datetime:
    return datetime.now(UTC)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Something with an identity, valid at all times.

    The constructor applies the rule of each field, stores what the rule returns (a trimmed name,
    for instance) and raises Invalid with all invalid fields. Entities are frozen: an update
    creates another instance, through the same rules.
    """

    noun: ClassVar[str]
    rules: ClassVar[Mapping[str, Rule]]

    id: UUID = field(default_factory=new_id)
    version: int = 1
    created_at: datetime = field(default_factory=utc_now)
    updated_at: datetime = _LONG_AGO  # raised to `created_at` by the constructor

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
        """Return whether each of the given fields accepts the given value."""
        try:
            for name, value in values.items():
                _rules(cls)[name](value)
        except RuleBroken:
            return False
        return True

    @classmethod
    def restored(cls, values: Iterable[Any]) -> Self:
        """The entity that was stored with these values, in the order of its fields.

        The rules are not applied: they are for input, and a rule that has become stricter must not
        make stored entities unreadable.
        """
        entity = object.__new__(cls)
        # Past the frozen `__setattr__`, and all fields in one step: lists restore many entities.
        entity.__dict__.update(zip(_field_names(cls), values, strict=True))
        return entity

    @property
    def tag(self) -> str:
        """The identifier of this state of this entity; every other state has another tag."""
        return f"{self.id.hex}-{self.version}"

    def require(self, expected_tags: frozenset[str] | None) -> None:
        """Require one of the expected states; None accepts any. Raises: PreconditionFailed."""
        if expected_tags is not None and self.tag not in expected_tags:
            raise PreconditionFailed(self.noun, self.version)

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """The next version of this entity, or the entity itself when no value differs.

        The changes are a merge patch (RFC 7396): a JSON object is merged into the current one, any
        other value replaces the current one.

        Raises: Invalid.
        """
        values = {name: self._merged(name, value) for name, value in changes.items()}
        now = max(utc_now(), self.updated_at)
        candidate = replace(self, **values, version=self.version + 1, updated_at=now)
        if all(_equal(getattr(self, name), getattr(candidate, name)) for name in values):
            return self
        return candidate

    def _merged(self, name: str, value: object) -> object:
        current = getattr(self, name)
        if not (isinstance(current, Mapping) and isinstance(value, Mapping)):
            return value
        patch = rules.checked(name, json_object, cast("JsonObject", value))
        return merge(cast("JsonObject", current), patch)


@dataclass(frozen=True, kw_only=True)
class NamedEntity(Entity):
    """An entity with a name. Each noun has a rule for it, and siblings among which it is unique."""

    name: str

    @property
    def name_key(self) -> str:
        """The form of the name in which names are compared and sorted."""
        return comparison_key(self.name)


def tag_of_fields(shown: "DataclassInstance") -> str:
    """Return a tag from the values of all fields, so that a field added later counts too."""
    values = (getattr(shown, each.name) for each in fields(shown))
    return "-".join(each.hex if isinstance(each, UUID) else str(each) for each in values)


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
    """A position in a sorted list: an entity's sort value, and its id as the tie-breaker."""

    value: str | datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request for one part of a list.

    The part has at most `limit` entities after the position `after`, in the order of `sort`
    (`created_at`, `updated_at` or `name`), whose name contains `text` (case makes no difference),
    which were updated at `updated_since` or later, and whose fields equal `filters`.
    """

    limit: int
    sort: str = "created_at"
    descending: bool = False
    after: Position | None = None
    text: str | None = None
    updated_since: datetime | None = None
    filters: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """One part of a list, and the position after which the next part starts; None at the end."""

    items: Sequence[E]
    next: Position | None


class Repository(ABC, Generic[E]):
    """The stored entities of one noun.

    Each lookup takes the caller's reach and checks it in the same statement: an entity that the
    caller does not reach is not found.
    """

    @abstractmethod
    async def get(self, reach: Reach, entity_id: UUID) -> E:
        """Raises: NotFound."""

    @abstractmethod
    async def get_for_update(self, reach: Reach, entity_id: UUID) -> E:
        """Get an entity and lock it until this unit of work is over. Raises: NotFound."""

    @abstractmethod
    async def add(self, entity: E) -> None:
        """Store a new entity. Raises: AlreadyExists when its name is taken."""

    @abstractmethod
    async def save(self, entity: E) -> None:
        """Store a new state of an entity that is locked. Raises: AlreadyExists."""

    @abstractmethod
    async def remove(self, entity: E) -> None:
        """Remove an entity that is locked, and everything in it."""


class PagedRepository(Repository[E]):
    """The stored entities of one noun that has a parent, with lists of a parent's entities."""

    @abstractmethod
    async def get_unmoved_for_update(self, reach: Reach, found: E) -> E:
        """Lock an entity that was read without a lock, before its parent was locked.

        Raises: NotFound, TransactionConflict when it has another parent now.
        """

    @abstractmethod
    async def page(self, reach: Reach, parent_id: UUID, request: PageRequest) -> Page[E]:
        """Return one part of the list of a parent's entities. Raises: NotFound for the parent."""
