"""`symphony db`: the database's schema."""

import typer

from symphony.cli.execution import load_settings, run
from symphony.console.usage import group_of_commands
from symphony.imports import without_collection

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
    """Check that this program can serve the schema; exit with status 1 if it cannot."""
    with without_collection():
        from symphony.bootstrap import engines_for
        from symphony.infrastructure.database import migrations
        from symphony.infrastructure.database.checks.explanations import explained_errors
        from symphony.infrastructure.database.checks.sqlite_file import require_undamaged

    async def check() -> str:
        engines = engines_for(load_settings())
        try:
            with explained_errors(engines.file):
                state = await migrations.require_compatible(engines)
                await require_undamaged(engines)
                return state.describe()
        finally:
            await engines.dispose()

    typer.echo(run(check()))
