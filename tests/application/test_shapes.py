"""Handlers have two shapes and orchestrations one, so that a call shows what it calls."""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, get_type_hints

import pytest

from symphony import application
from symphony.application import orchestrations
from symphony.application.app import Application, Queries, Services

Function = Callable[..., Any]


def functions(package: Any) -> Iterator[tuple[str, Function]]:
    """The functions of all modules of a package, also private ones, by their full names."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            if function.__module__ == module.name:
                yield f"{module.name}.{name}", function


def parameters(function: Function) -> list[Any]:
    hints = get_type_hints(function)
    return [hints[name] for name in inspect.signature(function).parameters]


def is_frozen_dataclass(kind: Any) -> bool:
    return getattr(getattr(kind, "__dataclass_params__", None), "frozen", False)


def in_snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


HANDLERS = {
    name: function
    for name, function in functions(application)
    if {Services, Queries} & set(parameters(function))
}
ORCHESTRATIONS = {
    name: function
    for name, function in functions(orchestrations)
    if not function.__name__.startswith("_")
}


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_takes_the_command_or_query_that_has_its_name(name: str) -> None:
    """So the `command` label of the metrics names the handler as well."""
    handler = HANDLERS[name]
    command, context = parameters(handler)
    assert context in {Services, Queries}
    assert is_frozen_dataclass(command)
    assert handler.__name__ == in_snake_case(command.__name__)
    assert handler.__module__ == command.__module__


@pytest.mark.parametrize("name", ORCHESTRATIONS)
def test_an_orchestration_takes_a_command_or_query_and_the_application(name: str) -> None:
    command, context = parameters(ORCHESTRATIONS[name])
    assert context is Application
    assert is_frozen_dataclass(command)


def test_handlers_and_orchestrations_are_found() -> None:
    assert len(HANDLERS) > 30
    assert len(ORCHESTRATIONS) > 10
