"""How the functions of routes get their arguments from a request.

FastAPI finds out, when a route is made, what each parameter is and where it comes from; that is
what the OpenAPI document is made from, and what is followed here. Its own way from a request to
the arguments looks at all of that anew each time, and takes longer than a small read.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from symphony.api.request import ApiRequest

if TYPE_CHECKING:
    from fastapi._compat import ModelField


class Binding:
    """A route's function and its dependencies, in the order in which they are called."""

    def __init__(self, dependant: Dependant) -> None:
        self._calls: list[_Call] = []
        self._add(dependant)
        self.query_names = frozenset(
            parameter.alias
            for call in self._calls
            for parameter in call.parameters
            if parameter.place == "query"
        )

    async def call(self, request: ApiRequest, response: Response) -> Any:
        """What the function returns.

        Raises: RequestValidationError with all that is wrong; what the functions raise.
        """
        errors: list[Any] = []
        read = [
            {parameter.name: parameter.read(request, errors) for parameter in call.parameters}
            for call in self._calls
        ]
        if errors:
            raise RequestValidationError(errors)
        results: list[Any] = []
        for call, arguments in zip(self._calls, read, strict=True):
            for name, index in call.needs:
                arguments[name] = results[index]
            if call.request_name:
                arguments[call.request_name] = request
            if call.response_name:
                arguments[call.response_name] = response
            results.append(await call.function(**arguments))
        return results[-1]

    def _add(self, dependant: Dependant) -> int:
        needs = tuple((each.name or "", self._add(each)) for each in dependant.dependencies)
        function = dependant.call
        if not inspect.iscoroutinefunction(function) or _is_beyond(dependant):
            raise TypeError(f"{function} asks for what no route here has")
        for index, call in enumerate(self._calls):
            if call.function is function:
                return index
        self._calls.append(
            _Call(
                function,
                tuple(_parameters(dependant)),
                needs,
                dependant.request_param_name,
                dependant.response_param_name,
            )
        )
        return len(self._calls) - 1


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One that a request gives, in its path, query, headers or body."""

    name: str
    place: str
    alias: str
    field: "ModelField"

    def read(self, request: ApiRequest, errors: list[Any]) -> Any:
        if self.place == "body":
            given, location = request.document, ("body",)
            if not request.content and not self.field.field_info.is_required():
                return self.field.get_default()
        else:
            given, location = self._found(request), (self.place, self.alias)
            if given is None and not self.field.field_info.is_required():
                return self.field.get_default()
            if given is None:
                errors.append({"type": "missing", "loc": location})
                return None
        value, wrong = self.field.validate(given, loc=location)
        errors += wrong
        return value

    def _found(self, request: ApiRequest) -> str | None:
        if self.place == "path":
            return request.path_params[self.alias]
        if self.place == "query":
            return request.query.get(self.alias)
        return request.headers.get(self.alias)


@dataclass(frozen=True, slots=True)
class _Call:
    """A function, and where its arguments come from."""

    function: Callable[..., Awaitable[Any]]
    parameters: tuple[_Parameter, ...]
    needs: tuple[tuple[str, int], ...]
    """The arguments that are results of functions called before."""
    request_name: str | None
    response_name: str | None


def _is_beyond(dependant: Dependant) -> bool:
    """Whether it has parameters that FastAPI knows, and nobody here uses."""
    return len(dependant.body_params) > 1 or any(
        (
            dependant.cookie_params,
            dependant.background_tasks_param_name,
            dependant.security_scopes_param_name,
            dependant.http_connection_param_name,
            dependant.websocket_param_name,
        )
    )


def _parameters(dependant: Dependant) -> Iterator[_Parameter]:
    places = {
        "path": dependant.path_params,
        "query": dependant.query_params,
        "header": dependant.header_params,
        "body": dependant.body_params,
    }
    for place, fields in places.items():
        for field in fields:
            yield _Parameter(field.name, place, field.alias, field)
