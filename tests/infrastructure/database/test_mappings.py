"""A noun that is not registered fails when the service starts, not on a request."""

import subprocess
import sys

import pytest

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore

# In a process of its own: a subclass of Entity would stay known to all later tests.
_STORE_WITH_A_NEW_NOUN = """
from dataclasses import dataclass
from symphony.domain.base import Entity
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore

@dataclass(frozen=True, kw_only=True)
class NamedBase(Entity):
    name: str

@dataclass(frozen=True, kw_only=True)
class Gadget(NamedBase):
    noun = "gadget"

SqlAlchemyStore(create_engines("sqlite://"))
"""


@pytest.mark.long
def test_a_store_is_not_created_while_a_noun_has_no_mapping() -> None:
    command = [sys.executable, "-c", _STORE_WITH_A_NEW_NOUN]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own code
    assert finished.stderr.splitlines()[-1] == (
        "RuntimeError: no EntityMapping in symphony.infrastructure.database.mappings for: gadget"
    )


@pytest.mark.parametrize("store_kind", ["sqlite-memory"], indirect=True)
def test_a_store_is_not_created_while_a_repository_of_the_port_is_missing(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = SqlAlchemyStore.reading

    def without_repos(store: SqlAlchemyStore) -> object:
        repositories = reading(store)
        del repositories.repos
        return repositories

    monkeypatch.setattr(SqlAlchemyStore, "reading", without_repos)
    with pytest.raises(RuntimeError, match="SqlAlchemyRepositories lacks repos"):
        SqlAlchemyStore(engines)
