"""Two users with their contents, on each store."""

import pytest

from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.infrastructure.database.kept import Household, household


@pytest.fixture
async def ada(store: SqlAlchemyStore) -> Household:
    return await household(store, "ada")


@pytest.fixture
async def eve(store: SqlAlchemyStore) -> Household:
    return await household(store, "eve")
