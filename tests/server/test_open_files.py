"""A low limit of open files is reported once, instead of workers that are replaced without end."""

import resource
import signal

import pytest
import uvicorn
from uvicorn.supervisors import multiprocess

from symphony.bootstrap import StartRefused
from symphony.config.settings import Settings
from symphony.serving.server import serve
from symphony.serving.uvicorn_adapter import STARTUP_FAILURE, Worker


def test_a_service_that_may_open_too_few_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _limit: (18, 4096))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(StartRefused, match="limit of open files is 18; must be at least 32"):
        serve(Settings(port=0), has_users=False)


def test_a_worker_whose_event_loop_cannot_start_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_worker: multiprocess.Process, _sockets: object) -> None:
        raise OSError("Too many open files")

    monkeypatch.setattr(multiprocess.Process, "target", fail)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit) as exit_:
            Worker(uvicorn.Config("symphony.start:worker"), []).target([])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert exit_.value.code == STARTUP_FAILURE
