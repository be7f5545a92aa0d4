"""`symphony db`: the database's schema."""

from typing import TYPE_CHECKING

import typer

from symphony.cli.execution import load_settings, run
from symphony.console.usage import exit_with, group_of_commands
from symphony.imports import without_collection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symphony.infrastructure.database.replicas.diagnosis import Diagnosis

group = group_of_commands("Create, upgrade and check the database schema.")


@group.command("upgrade")
def upgrade_database() -> None:
    """Upgrade the schema to the head revision; create it in an empty database."""
    with without_collection():
        from symphony.bootstrap import engines_for
        from symphony.infrastructure.database import migrations
        from symphony.infrastructure.database.checks.explanations import explained_errors
        from symphony.infrastructure.database.checks.sqlite_file import require_undamaged

    async def upgrade() -> str:
        engines = engines_for(load_settings())
        try:
            with explained_errors(engines.file):
                await require_undamaged(engines)
                await migrations.upgrade(engines)
                return (await migrations.current_state(engines)).describe()
        finally:
            await engines.dispose()

    typer.echo(run(upgrade()))


@group.command("check")
def check_database() -> None:
    """Check that this program can serve the schema, and use the replicas that are configured.

    Exits with status 1 if it cannot.
    """
    with without_collection():
        from symphony.bootstrap import engines_for, replica_addresses_for
        from symphony.infrastructure.database import migrations
        from symphony.infrastructure.database.checks.explanations import explained_errors
        from symphony.infrastructure.database.checks.sqlite_file import require_undamaged
        from symphony.infrastructure.database.replicas.diagnosis import diagnose

    async def check() -> "tuple[str, Sequence[Diagnosis]]":
        settings = load_settings()
        engines = engines_for(settings)
        try:
            addresses = replica_addresses_for(settings, engines)
            with explained_errors(engines.file):
                state = await migrations.require_compatible(engines)
                await require_undamaged(engines)
            return state.describe(), await diagnose(engines, addresses) if addresses else ()
        finally:
            await engines.dispose()

    schema, replicas = run(check())
    typer.echo(schema)
    for each in replicas:
        if each.reason is None:
            typer.echo(
                f"The replica {each.name} can be used. It is {each.lag:.1f} s behind at most."
            )
    refused = [
        f"{each.name} cannot be used: {each.reason}" for each in replicas if each.reason is not None
    ]
    if refused:
        exit_with(f"SYMPHONY_DATABASE_REPLICA_URL: {'; '.join(refused)}.")
