"""The binding of a request to the arguments of a route's function.

When a route is created, FastAPI determines the place and type of each parameter; the OpenAPI
document is generated from the same facts. FastAPI's own request handling inspects them again for
every request, which takes longer than a small read from the database.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from symphony.api.bodies.large_bodies import in_turn
from symphony.api.bodies.unknown_fields import KnownFields
from symphony.api.fastapi_adapter import Function, Parameter
from symphony.api.problems.errors import ValidationFailed
from symphony.api.problems.validation_errors import invalid_fields
from symphony.api.request import ApiRequest


class Binding:
    """The function of a route and its dependencies, in the order in which they are called."""

    def __init__(self, function: Function) -> None:
        self._calls: list[_Call] = []
        self._add(function)
        self.query_names = frozenset(
            parameter.alias
            for call in self._calls
            for parameter in call.parameters
            if parameter.place == "query"
        )
        bodies = [
            parameter.annotation
            for call in self._calls
            for parameter in call.parameters
            if parameter.place == "body"
        ]
        self._known_fields = KnownFields.of(bodies[0]) if bodies else None

    async def call(self, request: ApiRequest, response: Response) -> Any:
        """Call the functions, and return the result of the last one, the route's.

        Raises: ValidationFailed with the errors of all parameters, before any function is called;
        and what the functions raise.
        """
        if request.is_large:
            values = await in_turn(self._values, request)
        else:
            values = self._values(request)
        results: list[Any] = []
        for call, arguments in zip(self._calls, values, strict=True):
            for name, index in call.results:
                arguments[name] = results[index]
            if call.request_name:
                arguments[call.request_name] = request
            if call.response_name:
                arguments[call.response_name] = response
            results.append(await call.function(**arguments))
        return results[-1]

    def _values(self, request: ApiRequest) -> list[dict[str, Any]]:
        """Return the values of the parameters of each function. Raises: ValidationFailed."""
        dropped = self._known_fields.drop_excess(request.document) if self._known_fields else 0
        errors: list[Any] = []
        values = [
            {parameter.name: _value(parameter, request, errors) for parameter in call.parameters}
            for call in self._calls
        ]
        if errors:
            raise ValidationFailed(*invalid_fields(errors), more=dropped)
        return values

    def _add(self, function: Function) -> int:
        """Add a function after its dependencies, each once, and return its index."""
        results = tuple((name, self._add(each)) for name, each in function.dependencies)
        for index, call in enumerate(self._calls):
            if call.function is function.call:
                return index
        self._calls.append(
            _Call(
                function.call,
                function.parameters,
                results,
                function.request_name,
                function.response_name,
            )
        )
        return len(self._calls) - 1


@dataclass(frozen=True, slots=True)
class _Call:
    """A function, and the sources of its arguments."""

    function: Callable[..., Awaitable[Any]]
    parameters: tuple[Parameter, ...]
    results: tuple[tuple[str, int], ...]
    """The arguments that are results of earlier calls, with the index of each call."""
    request_name: str | None
    response_name: str | None


def _value(parameter: Parameter, request: ApiRequest, errors: list[Any]) -> Any:
    """Return the value of a parameter; on an error, add it to `errors` and return None."""
    if parameter.place == "body":
        given, location = request.document, ("body",)
        # Clients generated for Go send null instead of no body. The OpenAPI document does not say
        # so, because generators for Python then produce a client that cannot omit the body.
        if given is None and not parameter.is_required:
            return parameter.default()
    else:
        given, location = _text(parameter, request), (parameter.place, parameter.alias)
        if given is None and not parameter.is_required:
            return parameter.default()
        if given is None:
            errors.append({"type": "missing", "loc": location})
            return None
    value, found = parameter.validate(given, loc=location)
    errors += found
    return value


def _text(parameter: Parameter, request: ApiRequest) -> str | None:
    if parameter.place == "path":
        return request.path_params[parameter.alias]
    if parameter.place == "query":
        return request.query.get(parameter.alias)
    return request.headers.get(parameter.alias)
