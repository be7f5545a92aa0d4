"""Entry points of processes: the command, and the service in a worker process."""

import gc
from importlib import import_module
from typing import Any


def command() -> None:
    """Run the `symphony` command."""
    _imported("symphony.cli").app()


def application() -> Any:
    """Create the service as an ASGI application, with the settings of the environment."""
    return _imported("symphony.main").create_app_from_environment()


def worker() -> Any:
    """Create the same application, for a worker process of `symphony serve`."""
    return _imported("symphony.serving.workers").worker_application(application)


def _imported(name: str) -> Any:
    """Import a module and everything that it needs, without garbage collection.

    Imports produce almost no garbage, and collection takes a third of their time. The imported
    objects live as long as the process, so later collections skip them as well.
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
