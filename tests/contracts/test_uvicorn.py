"""What Symphony expects of the internals of uvicorn (`symphony.serving.uvicorn_adapter`)."""

import asyncio
import inspect
import signal
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn import config, supervisors
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.server import ServerState
from uvicorn.supervisors import multiprocess

from symphony.serving.uvicorn_adapter import HttpProtocol, Server
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
        ("data_received", ["self", "data"]),
        ("eof_received", ["self"]),
        ("on_message_begin", ["self"]),
        ("on_header", ["self", "name", "value"]),
        ("on_body", ["self", "body"]),
        ("on_headers_complete", ["self"]),
        ("on_message_complete", ["self"]),
        ("on_response_complete", ["self"]),
        ("shutdown", ["self"]),
        ("_unset_keepalive_if_required", ["self"]),
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


async def test_a_server_that_gets_two_signals_still_shuts_the_application_down() -> None:
    messages: list[str] = []

    async def app(_scope: object, receive: Receive, send: Send) -> None:
        for answer in ("startup", "shutdown"):
            messages.append((await receive())["type"])
            server.handle_exit(signal.SIGTERM, None)
            server.handle_exit(signal.SIGINT, None)
            await send({"type": f"lifespan.{answer}.complete"})

    options: dict[str, Any] = {"app": app, "lifespan": "on", "port": 0, "log_config": None}
    server = Server(uvicorn.Config(**options))
    async with asyncio.timeout(10):
        await server.serve()
    assert messages == ["lifespan.startup", "lifespan.shutdown"]
    assert "_server" in inspect.getsource(multiprocess.Process.server.fget), CHANGED.format(  # pyright: ignore[reportArgumentType]
        "Process.server"
    )


def test_a_worker_that_cannot_start_has_an_exit_status_of_its_own() -> None:
    assert config.STARTUP_FAILURE == 3, CHANGED.format("STARTUP_FAILURE")


def test_the_write_buffer_has_a_high_water_limit_in_bytes() -> None:
    assert flow_control.HIGH_WATER_LIMIT == 65_536, CHANGED.format("HIGH_WATER_LIMIT")


class Application:
    """Answers when it may, and notes the requests that it got and whether they were cut."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.disconnected: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        message = await receive()
        while message["type"] != "http.disconnect" and message["more_body"]:
            message = await receive()
        if message["type"] == "http.disconnect":
            self.disconnected.append(scope["path"])
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        assert protocols[scope["path"]].is_response_started, CHANGED.format("response_started")
        await send({"type": "http.response.body"})


protocols: dict[str, HttpProtocol] = {}


async def connected(application: Application, path: str) -> HttpProtocol:
    config = uvicorn.Config(application, lifespan="off", log_config=None)
    protocol = protocols[path] = HttpProtocol(config, ServerState(), {})
    protocol.connection_made(Transport())
    return protocol


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_request_that_is_answered_is_known_until_its_response_is_complete() -> None:
    application = Application()
    protocol = await connected(application, "/")
    assert protocol.cycle is None, CHANGED.format("cycle")
    assert not protocol.is_answering
    protocol.data_received(HALF_A_POST)
    await turns()
    assert protocol.is_answering, CHANGED.format("cycle or response_complete")
    assert not protocol.is_response_started
    protocol.data_received(b"cd")
    await turns()
    assert not protocol.is_answering, CHANGED.format("response_complete")
    assert not protocol.pipeline
    protocol.stop_idle_timer()
    assert protocol.timeout_keep_alive_task is None, CHANGED.format("_unset_keepalive_if_required")
    protocol.connection_lost(None)


async def test_an_abandoned_request_is_cut() -> None:
    application = Application()
    protocol = await connected(application, "/")
    protocol.data_received(HALF_A_POST)
    await turns()
    protocol.abandon_request()
    async with asyncio.timeout(5):
        await asyncio.gather(*protocol.tasks)
    assert application.disconnected == ["/"], CHANGED.format("disconnected or message_event")
    protocol.connection_lost(None)


async def test_reading_that_is_held_is_not_resumed_by_uvicorn() -> None:
    protocol = await connected(Application(), "/")
    transport = cast("Transport", protocol.transport)
    assert protocol.flow is protocol.reading
    protocol.reading.hold()
    protocol.flow.resume_reading()
    assert transport.is_reading_paused, CHANGED.format("FlowControl.resume_reading")
    protocol.flow.pause_reading()
    protocol.reading.release()
    assert transport.is_reading_paused, CHANGED.format("FlowControl.pause_reading")
    protocol.flow.resume_reading()
    assert not transport.is_reading_paused, CHANGED.format("FlowControl.resume_reading")
    protocol.pause_writing()
    assert protocol.is_response_unread, CHANGED.format("FlowControl.write_paused")
    protocol.resume_writing()
    assert not protocol.is_response_unread, CHANGED.format("FlowControl.write_paused")
    protocol.connection_lost(None)


async def test_a_replaced_parser_calls_the_same_protocol() -> None:
    application = Application()
    protocol = await connected(application, "/7")
    protocol.replace_parser()
    protocol.data_received(GET % 7)
    await turns()
    assert application.paths == ["/7"], CHANGED.format("parser")
    protocol.connection_lost(None)


def test_uvicorn_asks_the_transport_whether_it_closes_before_it_goes_on() -> None:
    after_response = inspect.getsource(httptools_impl.HttpToolsProtocol.on_response_complete)
    assert "self.transport.is_closing()" in after_response, CHANGED.format("on_response_complete")
    cycle = inspect.getsource(httptools_impl.RequestResponseCycle)
    assert "self.transport.close()" in cycle, CHANGED.format("who closes after a response")
    assert cycle.count("self.transport.write(") >= 1, CHANGED.format("who writes a response")
