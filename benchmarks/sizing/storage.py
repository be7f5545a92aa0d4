"""What a user stores: rows and bytes by table, with indexes.

One user is created by the service itself, so all rows are real: ciphertexts, observations, hashes.
This user is then copied many times, with other ids and names, so that indexes have their real
sizes. The ids of a copy are as ordered by time as those that the service gives.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import httpx
from sqlalchemy import Column, Constraint, LargeBinary, Table, UniqueConstraint, Uuid

from benchmarks.databases import PostgreSQLDatabase
from benchmarks.services import Service
from benchmarks.tables import print_table
from scripts.support.pushed_history import create_repository
from symphony.infrastructure.database.models import HeartbeatModel, Model

WORKSPACES, REPOS, VAULTS, ENTRIES, VERSIONS, TOKENS, KEYS = 5, 12, 2, 10, 2, 3, 10
"""Of one user; repos in each workspace, entries in each vault, versions of each entry."""
BRANCHES = 10  # of each remote
_PASSWORD = "correct horse battery staple"  # noqa: S105 - not a secret
_MILLISECONDS_APART = 60_000  # two users
_TABLES = Model.metadata.sorted_tables


@dataclass(frozen=True, slots=True)
class Stored:
    """Of one table and one user."""

    rows: float
    row_bytes: float
    """With everything that the table's files have beside it."""
    index_bytes: float


async def create_user(service: Service, database: PostgreSQLDatabase, git_root: Path) -> None:
    """Create one user with everything. Raises: httpx.HTTPStatusError."""
    create_repository(git_root / "loom", commits=50, branches=3)
    async with httpx.AsyncClient(base_url=f"{service.address}/api/v1", timeout=60) as client:
        me = await _signed_up(client)
        workspaces = [
            await _created(client, f"/user-profiles/{me}/workspaces", {"name": f"Client {number}"})
            for number in range(WORKSPACES)
        ]
        for workspace in workspaces:
            for number in range(REPOS):
                await _created(
                    client,
                    f"/workspaces/{workspace}/repos",
                    {
                        "name": f"service-{number}",
                        "path": str(git_root / "loom"),
                        "remote_url": f"https://git.example.org/client/service-{number}.git",
                        "metadata": {"language": "python", "stars": number},
                    },
                    key=f"create-{workspace}-{number}" if workspace == workspaces[0] else "",
                )
        for number in range(VAULTS):
            await _fill_vault(client, workspaces[number], with_passphrase=number % 2 == 1)
        for number in range(TOKENS):
            confined = {"workspace_ids": workspaces[:2]} if number == 0 else {}
            token = {"name": f"agent {number}", "scopes": ["read"], **confined}
            await _created(client, "/api-tokens", token)
        machine = await _created(client, "/machines", {"name": "laptop"})
        await _observe_all(client, me)
        await _report(client, me, machine)
        await client.post("/auth/token", data={"username": "ada", "password": "a wrong one"})
    await database.execute(
        "INSERT INTO remote_heads (repo_id, remote_url, synced_at, heads) SELECT id, remote_url,"
        " now(), (SELECT json_object_agg('feature/branch-' || n, md5(n::text) || '01234567')"
        f" FROM generate_series(1, {BRANCHES}) n) FROM repos"
    )


async def copy_user(database: PostgreSQLDatabase, copies: int) -> None:
    """Copy the only user of a database, with all rows."""
    statements = ["SET session_replication_role = replica"]
    for table in _TABLES:
        if table.name == HeartbeatModel.__tablename__:
            continue  # it has one row, whatever the number of users
        columns = ", ".join(f'"{each.name}"' for each in table.columns)
        values = ", ".join(_copied(table, each) for each in table.columns)
        statements.append(
            f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM {table.name}"
            f" CROSS JOIN generate_series(1, {copies}) AS k ORDER BY k"
        )
    await database.execute("; ".join(statements))
    await database.execute("VACUUM (ANALYZE)")


async def measure(database: PostgreSQLDatabase, users: int) -> dict[str, Stored]:
    """Return what a user stores in each table, and print it."""
    found: dict[str, Stored] = {}
    for table in _TABLES:
        (row,) = await database.rows(
            f"SELECT (SELECT count(*) FROM {table.name}), pg_table_size('{table.name}'),"
            f" pg_indexes_size('{table.name}')"
        )
        rows, size, indexes = row
        found[table.name] = Stored(rows / users, size / users, indexes / users)
    rows = [
        (
            name,
            f"{each.rows:.0f}",
            f"{each.row_bytes / each.rows:,.0f}" if each.rows else "",
            f"{each.index_bytes / each.rows:,.0f}" if each.rows else "",
            f"{(each.row_bytes + each.index_bytes) / 1024:,.1f}",
        )
        for name, each in found.items()
    ]
    total = [
        sum(getattr(each, name) for each in found.values())
        for name in ("rows", "row_bytes", "index_bytes")
    ]
    sums = ("all", f"{total[0]:.0f}", "", "", f"{(total[1] + total[2]) / 1024:,.1f}")
    head = ("", "rows", "bytes/row", "of indexes", "KiB")
    print_table(f"Stored of one user, as the mean of {users:,}", head, [*rows, sums])
    return found


def _copied(table: Table, column: Column[Any]) -> str:
    """Return the value of a column in copy `k`: other ids, and other values where unique."""
    name = f'"{column.name}"'
    if isinstance(column.type, Uuid):
        milliseconds = f"('x' || substr(replace({name}::text, '-', ''), 1, 12))::bit(48)::bigint"
        return (
            f"(lpad(to_hex({milliseconds} + k * {_MILLISECONDS_APART}), 12, '0')"
            f" || substr(md5({name}::text || k), 1, 20))::uuid"
        )
    keys = [table.primary_key, *(each for each in table.constraints if _is_unique(each))]
    unique = [[each.name for each in key.columns] for key in keys]
    if [column.name] not in unique and column.name != "subject":
        return name
    is_binary = isinstance(column.type, LargeBinary)
    return f"sha256({name} || int4send(k))" if is_binary else f"{name} || '_' || k"


def _is_unique(constraint: Constraint) -> TypeGuard[UniqueConstraint]:
    return isinstance(constraint, UniqueConstraint)


async def _signed_up(client: httpx.AsyncClient) -> str:
    profile = {"username": "ada", "email": "ada@example.org", "password": _PASSWORD}
    me = await _created(client, "/user-profiles", profile)
    form = {"username": "ada", "password": _PASSWORD}
    answer = (await client.post("/auth/token", data=form)).raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return me


async def _created(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], *, key: str = ""
) -> str:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await client.post(path, json=body, headers=headers)
    return answer.raise_for_status().json()["id"]


async def _fill_vault(client: httpx.AsyncClient, workspace: str, *, with_passphrase: bool) -> None:
    protection = {"protection": "passphrase", "passphrase": _PASSWORD} if with_passphrase else {}
    vault = {"name": "keys", "path": "~/vaults/keys", **protection}
    vault_id = await _created(client, f"/workspaces/{workspace}/vaults", vault)
    headers: dict[str, str] = {}
    if with_passphrase:
        answer = await client.post(f"/vaults/{vault_id}/unlock", json={"passphrase": _PASSWORD})
        headers["Vault-Session"] = answer.raise_for_status().json()["session"]
    for entry in range(ENTRIES):
        for version in range(VERSIONS):
            content = {"content": f"{entry} {version} " + "s" * 200}
            path = f"/vaults/{vault_id}/entries/servers/{entry}/password"
            (await client.put(path, json=content, headers=headers)).raise_for_status()


async def _report(client: httpx.AsyncClient, me: str, machine: str) -> None:
    """A machine reports a clone of each repo, with the status that the service found."""
    listed = await client.get(f"/user-profiles/{me}/repos", params={"limit": 200})
    items = listed.raise_for_status().json()["items"]
    status = (await client.get(f"/repos/{items[0]['id']}/status")).raise_for_status().json()
    head = status["head"]["id"]
    checkouts = [
        {
            "path": f"/home/ada/dev/{number}",
            "remotes": [{"name": "origin", "url": each["remote_url"]}],
            "root_commits": [head],
            "remote_heads": [
                {"remote": "origin", "branch": f"feature/branch-{branch}", "head": head}
                for branch in range(BRANCHES)
            ],
            "status": status,
        }
        for number, each in enumerate(items)
    ]
    report = {"sequence": 1, "roots": ["/home/ada/dev"], "checkouts": checkouts}
    (await client.put(f"/machines/{machine}/report", json=report)).raise_for_status()


async def _observe_all(client: httpx.AsyncClient, me: str) -> None:
    """The board inspects all repos, and stores what it finds."""
    (await client.get(f"/user-profiles/{me}/attention")).raise_for_status()
