"""A server whose answers to reports are written down before, or wait."""

import gzip
import json
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MACHINE = {"id": "01a21f22-e215-7687-99db-126e62e16f8f", "name": "laptop"}
_TOKEN = {"scopes": ["report"], "machine_id": MACHINE["id"]}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a report; without a status the connection is closed after the report."""

    status: int | None = 200
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


CLOSED = Answer(None)


def accepted(matched: int = 0, unmatched: int = 0) -> Answer:
    return Answer(200, {"sequence": 1, "matched": matched, "unmatched": unmatched})


def problem(status: int, code: str, retry_after: int | None = None, **members: Any) -> Answer:
    body = {"status": status, "code": code, "title": code, "detail": f"Because of {code}."}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, {**body, "request_id": "r-1", **members}, headers)


class ScriptedServer(ThreadingHTTPServer):
    """Answers reports in this order; the last answer is repeated. `reports` has what arrived."""

    daemon_threads = True

    def __init__(self, answers: Sequence[Answer], *, waits: bool, token: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._answers = list(answers)
        self._lock = threading.Lock()
        self.token_answer = token
        self.reports = list[dict[str, Any]]()
        self.in_flight = 0
        self.most_in_flight = 0
        self.may_answer = threading.Event()
        if not waits:
            self.may_answer.set()

    def handle_error(self, request: object, client_address: object) -> None:
        """A reporter may end at any moment."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def sequences(self) -> list[int]:
        return [each["sequence"] for each in self.reports]

    def answer_to(self, report: dict[str, Any]) -> Answer:
        with self._lock:
            self.reports.append(report)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.may_answer.wait()
        with self._lock:
            self.in_flight -= 1
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_token = self.path.endswith("/api-tokens/current")
        self._send(self.server.token_answer if is_token else Answer(200, MACHINE))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Encoding"] == "gzip"
        self._send(self.server.answer_to(json.loads(gzip.decompress(body))))

    def _send(self, answer: Answer) -> None:
        if answer.status is None:
            self.close_connection = True
            return
        content = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        kind = "application/json" if answer.status < 400 else "application/problem+json"
        for name, value in {"Content-Type": kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        pass


@contextmanager
def scripted_server(
    *answers: Answer, waits: bool = False, token: Answer | None = None
) -> Generator[ScriptedServer]:
    """`waits` holds back the answers to reports until `may_answer` is set."""
    server = ScriptedServer(
        answers or [accepted()], waits=waits, token=token or Answer(200, _TOKEN)
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()
