"""What Symphony expects of the internals of uvicorn (`symphony.serving.uvicorn_adapter`)."""

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn import config, supervisors
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.server import ServerState
from uvicorn.supervisors import multiprocess

from symphony.serving.uvicorn_adapter import HttpProtocol
from tests.support.transport import Transport

CHANGED = (
    f"uvicorn {uvicorn.__version__} has changed this: {{}}. Adapt"
    " src/symphony/serving/uvicorn_adapter.py, then this test."
)
GET = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
HALF_A_POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("connection_made", ["self", "transport"]),
        ("connection_lost", ["self", "exc"]),
        ("pause_writing", ["self"]),
        ("resume_writing", ["self"]),
        ("on_message_begin", ["self"]),
        ("on_headers_complete", ["self"]),
        ("on_message_complete", ["self"]),
        ("on_response_complete", ["self"]),
        ("send_400_response", ["self", "msg"]),
        ("_start_asgi_task", ["self", "cycle", "app"]),
    ],
)
def test_the_protocol_has_the_methods_that_symphony_extends(
    method: str, expected: list[str]
) -> None:
    found = getattr(httptools_impl.HttpToolsProtocol, method, None)
    assert found is not None, CHANGED.format(f"HttpToolsProtocol.{method} is gone")
    assert parameters(found) == expected, CHANGED.format(
        f"parameters of HttpToolsProtocol.{method}"
    )


def test_the_supervisor_has_what_symphony_extends() -> None:
    assert parameters(supervisors.Multiprocess) == ["config", "sockets"], CHANGED.format(
        "parameters of Multiprocess"
    )
    source = inspect.getsource(supervisors.Multiprocess)
    for name in ("processes", "processes_num", "should_exit", "signal_queue", "config", "sockets"):
        assert f"self.{name}" in source, CHANGED.format(f"Multiprocess.{name} is gone")
    run = inspect.getsource(supervisors.Multiprocess.run)
    for name in ("init_processes", "keep_subprocess_alive"):
        assert f"self.{name}()" in run, CHANGED.format(f"Multiprocess.run no longer calls {name}")
    for name in ("handle_hup", "terminate_all", "join_all"):
        assert parameters(getattr(supervisors.Multiprocess, name)) == ["self"], CHANGED.format(
            f"parameters of Multiprocess.{name}"
        )
    assert parameters(multiprocess.Process) == ["config", "sockets"], CHANGED.format(
        "parameters of Process"
    )
    assert parameters(multiprocess.Process.target) == ["self", "sockets"], CHANGED.format(
        "parameters of Process.target"
    )
    for name in ("start", "pid", "exitcode"):
        assert hasattr(multiprocess.Process, name), CHANGED.format(f"Process.{name} is gone")
    assert "self.process =" in inspect.getsource(multiprocess.Process.__init__), CHANGED.format(
        "Process.process is gone"
    )


def test_a_worker_that_cannot_start_has_an_exit_status_of_its_own() -> None:
    assert config.STARTUP_FAILURE == 3, CHANGED.format("STARTUP_FAILURE")


def test_the_write_buffer_has_a_high_water_limit_in_bytes() -> None:
    assert flow_control.HIGH_WATER_LIMIT == 65_536, CHANGED.format("HIGH_WATER_LIMIT")


class Application:
    """Answers nothing, and notes the requests that it got and whether they were cut."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.disconnected: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        while (await receive())["type"] != "http.disconnect":
            pass
        self.disconnected.append(scope["path"])


async def connected(application: Application) -> HttpProtocol:
    protocol = HttpProtocol(uvicorn.Config(application, lifespan="off"), ServerState(), {})
    protocol.connection_made(Transport())
    return protocol


async def test_the_request_that_is_answered_is_known_until_all_of_its_body_has_come() -> None:
    protocol = await connected(Application())
    assert not protocol.is_body_incomplete
    protocol.data_received(HALF_A_POST)
    assert protocol.is_body_incomplete, CHANGED.format("_start_asgi_task or more_body")
    protocol.data_received(b"cd")
    assert not protocol.is_body_incomplete, CHANGED.format("more_body")
    protocol.abandon_requests()
    await asyncio.sleep(0)


async def test_abandoned_requests_are_cut_or_never_started() -> None:
    application = Application()
    protocol = await connected(application)
    protocol.data_received(GET % 1 + GET % 2 + GET % 3)
    await asyncio.sleep(0)
    assert isinstance(protocol.pipeline, deque), CHANGED.format("pipeline")
    assert len(protocol.pipeline) == 2, CHANGED.format("pipelined requests are not queued")
    protocol.abandon_requests()
    async with asyncio.timeout(5):
        await asyncio.gather(*protocol.tasks)
    assert application.paths == ["/1"], CHANGED.format("pipeline")
    assert application.disconnected == ["/1"], CHANGED.format("disconnected or message_event")
