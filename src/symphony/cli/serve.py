"""`symphony serve`: runs the service."""

import os
from typing import Annotated

import typer

from symphony.cli.execution import load_settings, refusals
from symphony.console.usage import USAGE_ERROR, Given, exit_with
from symphony.imports import without_collection

_GIT_ROOT = "--git-root"
_OPTIONS = {
    "HOST": "--host",
    "PORT": "--port",
    "WORKERS": "--workers",
    "ROOT_PATH": "--root-path",
    "DEMO_MODE": "--demo",
    "LOG_FORMAT": "--log-format",
    "GIT_ROOTS": _GIT_ROOT,
}


# The settings validate the values of options, so that an option and its variable have one rule.
# The defaults in the help texts are those of the settings, which a test compares: to read them
# from the settings would take as long as the rest of `symphony serve --help`.
def serve(
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]"),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(metavar="PORT", help="Port, or 0 for any free one.  [default: 8000]"),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Number of worker processes.  [default: 1]"),
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Path under which a reverse proxy publishes the service, such as /symphony."
            "  [default: none]",
        ),
    ] = None,
    demo: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--demo",
            help="Use a database in memory, with a demo user; nothing is saved.  [default: false]",
        ),
    ] = False,
    log_format: Annotated[
        str | None,
        typer.Option(
            metavar="text|json",
            autocompletion=lambda: ["text", "json"],
            help="Format of log lines.  [default: text]",
        ),
    ] = None,
    git_root: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Directory in which git repositories may be inspected; repeatable."
            "  [default: none]",
        ),
    ] = None,
) -> None:
    """Run the service.

    Each option is also a variable, such as SYMPHONY_PORT and SYMPHONY_GIT_ROOTS; options take
    precedence.
    """
    import asyncio

    with without_collection():
        from symphony.bootstrap import (
            git_confinement_for,
            log_git_confinement,
            prepare,
            require_git_user_config,
        )
        from symphony.config.settings import PREFIX, existing_directory
        from symphony.serving.server import serve as run_server
        from symphony.serving.server import stop_successfully
    for root in git_root or ():
        if os.pathsep in root:
            # In the variable it would be two other directories.
            allowed = f"must be a path without {os.pathsep!r}."
            exit_with(Given(_GIT_ROOT, root).refused(allowed), USAGE_ERROR)
        try:
            existing_directory(root)
        except ValueError as error:
            exit_with(Given(_GIT_ROOT, root).refused(f"{error}."), USAGE_ERROR)
    given = {
        "HOST": host,
        "PORT": port,
        "WORKERS": workers,
        "ROOT_PATH": root_path,
        "DEMO_MODE": "true" if demo else None,
        "LOG_FORMAT": log_format,
        "GIT_ROOTS": os.pathsep.join(git_root) if git_root else None,
    }
    for name, value in given.items():
        if value is not None:  # worker processes read the settings from the environment
            os.environ[PREFIX + name] = value
    options = {name: _OPTIONS[name] for name, value in given.items() if value is not None}
    with refusals(options=options):
        settings = load_settings()
        stop_successfully()
        confinement = git_confinement_for(settings)
        require_git_user_config(settings)
        has_users = asyncio.run(prepare(settings))
        log_git_confinement(confinement)
        run_server(settings, has_users=has_users)
