"""The schema changes while connections through a pooler keep descriptions of statements."""

from pathlib import Path

import asyncpg
import pytest

from scripts.support.pgbouncer import Pgbouncer
from symphony.config.settings import Settings
from tests.conftest import SECRET
from tests.server.test_database_changes import ALL_SUCCEED, CLIENTS, MIGRATIONS, many, repo_count
from tests.support import postgres
from tests.support.api import running_api, sign_up

pytestmark = pytest.mark.long


@pytest.mark.parametrize("migration", MIGRATIONS)
async def test_a_migration_beneath_a_running_service_costs_no_request(
    pgbouncer: Pgbouncer, database: str, tmp_path: Path, migration: str
) -> None:
    settings = Settings.model_validate(
        {
            "database_url": pgbouncer.url(database),
            "database_pooler": "transaction",
            "secret_key": SECRET,
            "data_dir": tmp_path,
        }
    )
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        workspace_id = (await ada.workspace())["id"]
        assert await many(ada, workspace_id, "before") == ALL_SUCCEED
        connection = await asyncpg.connect(postgres.address(database))
        await connection.execute(migration)
        await connection.close()
        assert await many(ada, workspace_id, "after") == ALL_SUCCEED
        assert await repo_count(ada, workspace_id) == CLIENTS
