"""Entry points of processes: the command, and the service in a worker process."""

import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Any

from symphony.console import streams
from symphony.imports import without_collection

# 128 and the number of the signal, as shells report it
_INTERRUPTED, _TERMINATED = 130, 143


def command() -> None:
    """Run the `symphony` command. Ctrl-C ends it without a message, also during the imports.

    SIGTERM ends it as well, also as the first process of a container.
    """
    streams.open_streams()
    if os.getpid() == 1:
        # The kernel ignores a signal for which the first process of a container has no handler.
        signal.signal(signal.SIGTERM, _end_as_terminated)
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not is_ignored:
        signal.signal(signal.SIGINT, _exit_at_once)
    cli = _imported("symphony.cli")
    if not is_ignored:
        signal.signal(signal.SIGINT, _exit)
    try:
        cli.app()
    except streams.StreamFailed as error:
        sys.exit(f"symphony: {error}")


def application() -> Any:
    """Create the service as an ASGI application, with the settings of the environment."""
    return _imported("symphony.main").create_app_from_environment()


def worker() -> Any:
    """Create the same application, for a worker process of `symphony serve`."""
    return _imported("symphony.serving.workers").worker_application(application)


def _imported(name: str) -> Any:
    _refuse_without_docstrings()
    with without_collection():
        return import_module(name)


def _refuse_without_docstrings() -> None:
    """The descriptions of the API and of the commands are docstrings."""
    if sys.flags.optimize > 1:
        print(  # noqa: T201 - for a person
            "symphony: Python's option -OO (PYTHONOPTIMIZE=2) removes the descriptions of the API;"
            " run without it, or with -O.",
            file=sys.stderr,
        )
        sys.exit(2)


def _exit_at_once(_signal: int, _frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)  # during the imports there is nothing to clean up


def _end_as_terminated(_signal: int, _frame: FrameType | None) -> None:
    os._exit(_TERMINATED)  # as any other process would end, which has no handler


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(_INTERRUPTED)
