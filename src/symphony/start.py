"""Where processes begin: the command, and the service in each of its workers."""

import gc
from importlib import import_module
from typing import Any


def command() -> None:
    """The `symphony` command."""
    _imported("symphony.cli").app()


def application() -> Any:
    """The service as an ASGI application, from the environment; for uvicorn."""
    return _imported("symphony.main").create_app_from_environment()


def _imported(name: str) -> Any:
    """A module, with all that it needs.

    Importing makes next to no garbage, and looking for some takes a third of its time. What it has
    made stays as long as the process does, so nobody needs to look at it later either.
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
