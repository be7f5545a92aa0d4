"""The setting of replicas, and the database that it goes with."""

import pytest

from symphony.bootstrap import replica_addresses_for
from symphony.config.settings import Settings, SettingsError
from symphony.infrastructure.database.engine import Engines

REPLICA = "postgresql://db2,db3/symphony"


def with_replica(url: str, *, demo_mode: bool = False) -> Settings:
    return Settings.model_validate({"database_replica_url": url, "demo_mode": demo_mode})


async def test_replicas_need_postgresql(engines: Engines, store_kind: str) -> None:
    if store_kind == "postgresql":
        found = replica_addresses_for(with_replica(REPLICA), engines)
        assert [each.authority for each in found] == ["db2:5432", "db3:5432"]
        return
    with pytest.raises(SettingsError) as refused:
        replica_addresses_for(with_replica(REPLICA), engines)
    line = str(refused.value)
    assert line.startswith("SYMPHONY_DATABASE_REPLICA_URL: only a PostgreSQL database has replicas")
    assert "SYMPHONY_DATABASE_URL must be its primary" in line


@pytest.mark.parametrize("store_kind", ["postgresql"])
async def test_a_url_that_cannot_be_used_is_refused_without_its_password(engines: Engines) -> None:
    with pytest.raises(SettingsError) as refused:
        replica_addresses_for(with_replica("mysql://ada:hidden@db2/symphony"), engines)
    assert str(refused.value) == "SYMPHONY_DATABASE_REPLICA_URL: must be postgresql://…"


async def test_demo_mode_has_no_replicas(engines: Engines) -> None:
    assert replica_addresses_for(with_replica(REPLICA, demo_mode=True), engines) == ()
