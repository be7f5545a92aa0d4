"""The `symphony` command."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import typer

from symphony import logs
from symphony.application.api_tokens import CreateApiToken, create_api_token
from symphony.application.app import Application
from symphony.application.authentication import find_by_login, new_api_token
from symphony.application.user_profiles import CreateUserProfile, create_user_profile
from symphony.application.vaults.rewrap import UnopenedKeys, rewrap_vault_keys
from symphony.bootstrap import StartRefused, engines_for, master_keys_for, prepare, secret_for
from symphony.config.settings import PREFIX, Settings, SettingsError, load_settings
from symphony.domain.api_tokens import Scope
from symphony.domain.base import utc_now
from symphony.domain.errors import DomainError, Invalid
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import DatabaseUrlError
from symphony.infrastructure.metrics import Metrics
from symphony.main import running_application
from symphony.serving.server import serve as run_server

app = typer.Typer(
    help="The one place where a developer's work lives.", no_args_is_help=True, add_completion=False
)
database = typer.Typer(help="The database's schema.", no_args_is_help=True)
users = typer.Typer(help="User profiles.", no_args_is_help=True)
vaults = typer.Typer(help="Vaults.", no_args_is_help=True)
tokens = typer.Typer(help="API tokens.", no_args_is_help=True)
app.add_typer(database, name="db")
app.add_typer(vaults, name="vault")
app.add_typer(users, name="user")
app.add_typer(tokens, name="token")

ResultT = TypeVar("ResultT")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port.")] = None,
    demo: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--demo", help="Everything in memory, with a demo user.")
    ] = False,
    log_format: Annotated[
        Literal["text", "json"] | None, typer.Option(help="How log lines are written.")
    ] = None,
    git_root: Annotated[
        list[str] | None,
        typer.Option(help="A folder with git repositories; may be repeated."),
    ] = None,
) -> None:
    """Run the service. Each option is also a SYMPHONY_* variable; options come first."""
    if "" in (git_root or ()):
        # As a path it would be the present folder.
        _end("--git-root: a folder, not empty", code=2)
    if any(os.pathsep in root for root in git_root or ()):
        # In the variable it would be two other folders.
        _end(f"--git-root: a folder without {os.pathsep} in its name", code=2)
    given = {
        "HOST": host,
        "PORT": port,
        "WORKERS": workers,
        "DEMO_MODE": demo or None,
        "LOG_FORMAT": log_format,
        "GIT_ROOTS": os.pathsep.join(git_root) if git_root else None,
    }
    for name, value in given.items():
        if value is not None:  # the workers, processes of their own, read it there as well
            os.environ[PREFIX + name] = str(value)
    settings = _settings()
    _run(prepare(settings))
    try:
        run_server(settings)
    except OSError as error:
        _end(f"{settings.host}:{settings.port} cannot be listened on ({error.strerror})")


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the schema to the newest revision."""

    async def upgrade() -> None:
        engines = engines_for(_settings())
        try:
            await migrations.upgrade(engines)
        finally:
            await engines.dispose()

    _run(upgrade())
    typer.echo(f"The schema is at {migrations.head_revision()}.")


@database.command("check")
def check_database() -> None:
    """Tell whether the schema is at the newest revision; exit 1 when it is not."""

    async def check() -> str | None:
        engines = engines_for(_settings())
        try:
            return await migrations.not_ready_reason(engines)
        finally:
            await engines.dispose()

    reason = _run(check())
    if reason is not None:
        _end(reason)
    typer.echo(f"The schema is at {migrations.head_revision()}.")


@users.command("create")
def create_user(
    username: Annotated[str, typer.Argument(help="The name to sign in with.")],
    email: Annotated[str, typer.Option(help="The e-mail address; nothing is sent to it.")],
    password_stdin: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make a user profile, also while registration is closed."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def create(application: Application) -> str:
        command = CreateUserProfile(username, email, password)
        return str((await create_user_profile(command, application)).id)

    typer.echo(_run(_with_application(create)))


@tokens.command("create")
def create_token(
    username: Annotated[str, typer.Argument(help="Whose token; the e-mail address will do.")],
    name: Annotated[str, typer.Option(help="What the token is for.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be repeated.")],
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="When it ends; never, without.")
    ] = None,
) -> None:
    """Make an API token for a user, and print it; it is never shown again."""

    async def create(application: Application) -> str:
        user = await application.ask(find_by_login, username)
        if user is None:
            raise StartRefused("there is no user with this name")
        token = new_api_token()
        lifetime = None if expires_in_days is None else timedelta(days=expires_in_days)
        await application.run(
            create_api_token,
            CreateApiToken(
                actor=user.id,
                actor_scopes=frozenset(Scope),
                token=token,
                name=name,
                scopes=tuple(scope),
                expires_at=None if lifetime is None else utc_now() + lifetime,
            ),
        )
        return token

    typer.echo(_run(_with_application(create)))


@vaults.command("rewrap")
def rewrap_vaults() -> None:
    """Wrap the keys of all vaults under the first master key; exit 1 when one cannot be opened.

    Beside an embedded database the master key is replaced by a new one; the service may go on.
    """
    try:
        done = _run(_with_application(rewrap_vault_keys))
    except UnopenedKeys as left:
        _end(
            f"{len(left.done.unopened)} keys of vaults cannot be opened by any master key, so none"
            f" was taken away: {', '.join(map(str, left.done.unopened))}; {left.done.wrapped} were"
            " wrapped anew"
        )
    typer.echo(f"Keys of vaults wrapped anew: {done.wrapped}.")


async def _with_application(work: Callable[[Application], Awaitable[ResultT]]) -> ResultT:
    settings = _settings()
    await prepare(settings)
    engines = engines_for(settings)
    secret = secret_for(settings, engines)
    master_keys = master_keys_for(settings, engines)
    async with running_application(
        settings, engines, secret, master_keys, Metrics()
    ) as application:
        return await work(application)


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        _end(str(error), code=2)
    logs.configure(settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result; of what people can put right themselves, one line and an exit code."""
    try:
        return asyncio.run(work)
    except SettingsError as error:
        _end(str(error), code=2)
    except DatabaseUrlError as error:
        _end(f"{PREFIX}DATABASE_URL: {error}", code=2)
    except Invalid as error:
        _end("; ".join(f"{each.field}: {each.detail}" for each in error.errors))
    except (StartRefused, DomainError) as error:
        _end(str(error))
    except StoreUnavailable:
        _end(migrations.UNREACHABLE)


def _end(line: str, code: int = 1) -> NoReturn:
    typer.echo(f"symphony: {line}", err=True)
    raise typer.Exit(code)
