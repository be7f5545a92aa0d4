"""Arguments: each dependency once, all errors at once, and no form that is not there."""

from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Cookie, Depends, Query
from fastapi.dependencies.utils import get_dependant
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from symphony.api.binding import Binding
from symphony.api.request import ApiRequest

Call = Callable[..., Any]
asked: list[str] = []


async def tenant(request: ApiRequest) -> str:
    asked.append("tenant")
    return request.headers["host"]


async def size(tenant: Annotated[str, Depends(tenant)], limit: Annotated[int, Query()]) -> str:
    asked.append("size")
    return f"{limit} of {tenant}"


def bound(function: Call) -> Binding:
    return Binding(get_dependant(path="/things/{number}", call=function))


def received(number: str, **query: str) -> ApiRequest:
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

    asked.clear()
    response = Response()
    result = await bound(read).call(received("7", limit="3"), response)
    assert result == (7, "3 of example.org", "example.org")
    assert asked == ["tenant", "size"]
    assert response.headers["X-Read"] == "yes"


async def test_all_that_is_wrong_is_told_at_once_and_nothing_is_called() -> None:
    async def read(number: int, of: Annotated[str, Depends(size)]) -> None:
        asked.append("read")

    asked.clear()
    with pytest.raises(RequestValidationError) as refused:
        await bound(read).call(received("seven"), Response())
    assert [(each["type"], each["loc"]) for each in refused.value.errors()] == [
        ("missing", ("query", "limit")),
        ("int_parsing", ("path", "number")),
    ]
    assert asked == []


def in_a_thread(number: int) -> int:
    return number


async def closing(number: int) -> AsyncGenerator[int]:
    yield number


async def with_a_cookie(number: int, crumb: Annotated[str, Cookie()]) -> None: ...


async def with_a_task(number: int, tasks: BackgroundTasks) -> None: ...


async def with_two_bodies(number: int, one: dict[str, Any], two: dict[str, Any]) -> None: ...


@pytest.mark.parametrize(
    "function", [in_a_thread, closing, with_a_cookie, with_a_task, with_two_bodies]
)
def test_what_is_not_supported_is_refused_when_a_route_is_made(function: Call) -> None:
    with pytest.raises(TypeError):
        bound(function)
