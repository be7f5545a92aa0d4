"""The `symphony` command."""

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import typer

from symphony import logs
from symphony.application.api_tokens import CreateApiToken, create_api_token
from symphony.application.app import Application
from symphony.application.orchestrations.rewrap import RewrapAll, RewrapIncomplete, rewrap_all
from symphony.application.orchestrations.sign_up import SignUp, create_user
from symphony.application.user_profiles import FindUserByLogin, find_user_by_login
from symphony.bootstrap import StartRefused, engines_for, master_keys_for, prepare, secret_for
from symphony.config.settings import PREFIX, Settings, SettingsError, load_settings
from symphony.domain.api_tokens import Scope, new_api_token
from symphony.domain.base import utc_now
from symphony.domain.errors import DomainError, Invalid
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.checks.explanations import DatabaseUnusable, explained_errors
from symphony.infrastructure.database.checks.sqlite_file import require_undamaged
from symphony.infrastructure.database.engine import DatabaseUrlError
from symphony.infrastructure.metrics import Metrics
from symphony.main import running_application
from symphony.serving.server import serve as run_server

app = typer.Typer(
    help="Workspaces, git repositories and encrypted vaults behind a REST API.",
    no_args_is_help=True,
    add_completion=False,
)
database = typer.Typer(help="Create, upgrade and check the database schema.", no_args_is_help=True)
users = typer.Typer(help="Manage user profiles.", no_args_is_help=True)
vaults = typer.Typer(help="Manage the keys of vaults.", no_args_is_help=True)
tokens = typer.Typer(help="Manage API tokens.", no_args_is_help=True)
app.add_typer(database, name="db")
app.add_typer(vaults, name="vault")
app.add_typer(users, name="user")
app.add_typer(tokens, name="token")

ResultT = TypeVar("ResultT")


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; by default 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, by default 8000; 0 chooses a free one.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of worker processes, by default 1.")
    ] = None,
    demo: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--demo", help="Use a database in memory, with a demo user; nothing is saved."
        ),
    ] = False,
    log_format: Annotated[
        Literal["text", "json"] | None, typer.Option(help="Format of log lines, by default text.")
    ] = None,
    git_root: Annotated[
        list[str] | None,
        typer.Option(help="Directory in which git repositories may be inspected; repeatable."),
    ] = None,
) -> None:
    """Run the service. Each option is also a SYMPHONY_* variable; options take precedence."""
    if "" in (git_root or ()):
        # An empty path would be the working directory.
        _exit("--git-root: '' is invalid; must be an existing directory.", code=2)
    for root in git_root or ():
        if os.pathsep in root:
            # In the variable it would be two other directories.
            _exit(
                f"--git-root: {root!r} is invalid; must be a path without {os.pathsep!r}.", code=2
            )
    given = {
        "HOST": host,
        "PORT": port,
        "WORKERS": workers,
        "DEMO_MODE": demo or None,
        "LOG_FORMAT": log_format,
        "GIT_ROOTS": os.pathsep.join(git_root) if git_root else None,
    }
    for name, value in given.items():
        if value is not None:  # worker processes read the settings from the environment
            os.environ[PREFIX + name] = str(value)
    settings = _settings()
    _run(prepare(settings))
    try:
        run_server(settings)
    except OSError as error:
        _exit(_cannot_listen(settings.host, settings.port, error))


@database.command("upgrade")
def upgrade_database() -> None:
    """Upgrade the schema to the head revision; create it in an empty database."""

    async def upgrade() -> None:
        engines = engines_for(_settings())
        try:
            with explained_errors(engines.file):
                await require_undamaged(engines)
                await migrations.upgrade(engines)
        finally:
            await engines.dispose()

    _run(upgrade())
    typer.echo(f"The schema is at {migrations.head_revision()}.")


@database.command("check")
def check_database() -> None:
    """Check that the schema is at the head revision; exit with status 1 if it is not."""

    async def check() -> None:
        engines = engines_for(_settings())
        try:
            with explained_errors(engines.file):
                await migrations.require_head(engines)
                await require_undamaged(engines)
        finally:
            await engines.dispose()

    _run(check())
    typer.echo(f"The schema is at {migrations.head_revision()}.")


@users.command("create")
def create_user_command(
    username: Annotated[str, typer.Argument(help="User name to sign in with.")],
    email: Annotated[str, typer.Option(help="E-mail address; no mail is sent to it.")],
    password_stdin: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--password-stdin", help="Read the password from standard input instead of prompting."
        ),
    ] = False,
) -> None:
    """Create a user profile and print its id; also works while registration is closed."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def create(application: Application) -> str:
        return str((await create_user(SignUp(username, email, password), application)).id)

    typer.echo(_run(_with_application(create)))


@tokens.command("create")
def create_token(
    username: Annotated[
        str, typer.Argument(help="User name or e-mail address of the owner of the token.")
    ],
    name: Annotated[
        str, typer.Option(help="Name of the token, for example the machine that uses it.")
    ],
    scope: Annotated[list[Scope], typer.Option(help="What the token allows; repeatable.")],
    expires_in_days: Annotated[
        int | None,
        typer.Option(
            min=1, max=36_500, help="Lifetime in days; without it, the token does not expire."
        ),
    ] = None,
) -> None:
    """Create an API token and print it; it is not shown again."""

    async def create(application: Application) -> str:
        user = await application.ask(find_user_by_login, FindUserByLogin(username))
        if user is None:
            raise StartRefused(
                f"USERNAME: {username!r} is not the name or e-mail address of a user."
            )
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
    """Rewrap the keys of all vaults with the first master key; exit with status 1 if one fails.

    With an embedded database, a new master key is created first. The service may keep running.
    """

    async def rewrap(application: Application) -> int:
        return (await rewrap_all(RewrapAll(), application)).rewrapped

    try:
        rewrapped = _run(_with_application(rewrap))
    except RewrapIncomplete as incomplete:
        left = incomplete.result
        _exit(
            f"No master key opens the keys of {_count(len(left.failed), 'vault')}, so all"
            f" master keys were kept: {', '.join(map(str, left.failed))}. The keys of"
            f" {_count(left.rewrapped, 'vault')} were rewrapped."
        )
    typer.echo(f"Rewrapped the keys of {_count(rewrapped, 'vault')}.")


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        remedy = "the address is already in use; choose another port with --port"
    elif error.errno in {errno.EACCES, errno.EPERM}:
        remedy = "permission denied; choose a port above 1023 with --port"
    else:
        remedy = f"{error.strerror}; choose an address of this machine with --host"
    return f"Cannot listen on {address}: {remedy}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


async def _with_application(work: Callable[[Application], Awaitable[ResultT]]) -> ResultT:
    settings = _settings()
    await prepare(settings)
    engines = engines_for(settings)
    secret = secret_for(settings, engines)
    master_keys = master_keys_for(settings, engines)
    with explained_errors(engines.file):
        async with running_application(
            settings, engines, secret, master_keys, Metrics()
        ) as application:
            return await work(application)


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        _exit(str(error), code=2)
    logs.configure(settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run `work`; print an error that the operator can fix as one line, and exit with a status."""
    try:
        return asyncio.run(work)
    except SettingsError as error:
        _exit(str(error), code=2)
    except DatabaseUrlError as error:
        _exit(f"{PREFIX}DATABASE_URL: {error}", code=2)
    except Invalid as error:
        _exit("; ".join(f"{each.field}: {each.detail}" for each in error.errors))
    except (StartRefused, DatabaseUnusable, DomainError) as error:
        _exit(str(error))


def _exit(line: str, code: int = 1) -> NoReturn:
    typer.echo(f"symphony: {line}", err=True)
    raise typer.Exit(code)
