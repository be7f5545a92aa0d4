"""Machines of two users, on each store."""

import pytest

from symphony.domain.machines.machines import Machine
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.infrastructure.database.kept import Household, keep


@pytest.fixture
async def laptop(store: SqlAlchemyStore, ada: Household) -> Machine:
    machine = Machine(user_profile_id=ada.user.id, name="laptop")
    await keep(store, machine)
    return machine
