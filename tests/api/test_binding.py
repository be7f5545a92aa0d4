"""Binding: each dependency is called once, and all errors are reported at once."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, Query
from fastapi.dependencies.utils import get_dependant
from starlette.responses import Response

from symphony.api.binding import Binding
from symphony.api.fastapi_adapter import function_of
from symphony.api.problems.errors import ValidationFailed
from symphony.api.request import ApiRequest

Call = Callable[..., Any]
called: list[str] = []


async def tenant(request: ApiRequest) -> str:
    called.append("tenant")
    return request.headers["host"]


async def size(tenant: Annotated[str, Depends(tenant)], limit: Annotated[int, Query()]) -> str:
    called.append("size")
    return f"{limit} of {tenant}"


def bound(function: Call) -> Binding:
    return Binding(function_of(get_dependant(path="/things/{number}", call=function)))


def request_for(number: str, **query: str) -> ApiRequest:
    scope = {
        "type": "http",
        "headers": [(b"host", b"example.org")],
        "path_params": {"number": number},
    }
    request = ApiRequest(scope, receive=never)
    request.query = query
    return request


async def never() -> Any:
    raise AssertionError


async def test_a_dependency_is_called_once_and_before_those_that_need_it() -> None:
    async def read(
        number: int,
        response: Response,
        of: Annotated[str, Depends(size)],
        host: Annotated[str, Depends(tenant)],
    ) -> tuple[int, str, str]:
        response.headers["X-Read"] = "yes"
        return number, of, host

    called.clear()
    response = Response()
    result = await bound(read).call(request_for("7", limit="3"), response)
    assert result == (7, "3 of example.org", "example.org")
    assert called == ["tenant", "size"]
    assert response.headers["X-Read"] == "yes"


async def test_all_errors_are_reported_at_once_and_nothing_is_called() -> None:
    async def read(number: int, of: Annotated[str, Depends(size)]) -> None:
        called.append("read")

    called.clear()
    with pytest.raises(ValidationFailed) as refused:
        await bound(read).call(request_for("seven"), Response())
    assert [(each.parameter, each.code) for each in refused.value.errors] == [
        ("limit", "missing"),
        ("number", "integer-expected"),
    ]
    assert called == []
