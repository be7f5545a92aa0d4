"""Entry points of processes: the command, and the service in a worker process."""

from importlib import import_module
from typing import Any

from symphony.imports import without_collection


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
    with without_collection():
        return import_module(name)
