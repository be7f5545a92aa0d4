"""Log lines for people are short, and those for machines complete."""

import json
import logging
import re
from collections.abc import Generator

import pytest
import structlog

from symphony import logs
from symphony.config.settings import Settings
from symphony.main import create_app

COLUMNS = 120  # of a wide terminal
REQUEST = {
    "method": "POST",
    "request_id": "01a21a90-633c-7730-a8f6-eef1f5b14378",
    "route": "/api/v1/user-profiles/{user_profile_id}/workspaces",
    "status": 201,
    "ms": 12.34,
    "user_id": None,
}


@pytest.fixture(autouse=True)
def as_before() -> Generator[None]:
    """Configuring logs replaces the handlers that pytest has set."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    logs.finish()
    return capfd.readouterr().err.splitlines()


def log_request(**values: object) -> None:
    structlog.get_logger().bind(logger="symphony.requests").info("request", **REQUEST | values)


def test_the_line_of_a_request_fits_a_terminal_and_omits_what_is_unknown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.configure("text")
    log_request()
    log_request(user_id="01a21a90-633c-7730-a8f6-eef1f5b14378")
    first, second = lines(capfd)
    expected = f" POST {REQUEST['route']} 201 12.3ms {REQUEST['request_id']}"
    for line in (first, second):
        assert re.fullmatch(r"\d\d:\d\d:\d\d" + re.escape(expected), line)
        assert len(line) <= COLUMNS


def test_a_request_without_route_or_answer_has_a_line_as_well(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.configure("text")
    log_request(route=None, status=0)
    (line,) = lines(capfd)
    assert f" POST - disconnected 12.3ms {REQUEST['request_id']}" in line


def test_the_line_for_a_machine_has_every_field(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    log_request()
    (line,) = lines(capfd)
    entry = json.loads(line)
    assert entry.items() >= REQUEST.items()
    assert entry.keys() - REQUEST.keys() == {"event", "level", "logger", "timestamp"}


def test_a_library_cannot_add_a_line_of_its_own_to_the_log(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.configure("text")
    logging.getLogger("library").warning("first\n%s", "12:00:00 GET / 200")
    (line,) = lines(capfd)
    assert "WARNING library: first\\n12:00:00 GET / 200" in line


@pytest.mark.long
def test_the_routes_of_one_resource_fit_a_terminal() -> None:
    app = create_app(Settings(demo_mode=True))
    templates = [path for path in app.openapi()["paths"] if path.count("{") < 2]
    longest = max(templates, key=len)
    line = f"12:00:00 DELETE {longest} 200 123.4ms {REQUEST['request_id']}"
    assert len(line) <= COLUMNS, line
