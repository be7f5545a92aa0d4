"""One request and its answer as text: what a client sends, and what the server returns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from scripts.demos.support.json_text import MAX_STRING, MORE, json_text, only

REQUEST_HEADERS = (
    *("Accept", "Content-Type", "If-Match", "If-None-Match"),
    *("Idempotency-Key", "Vault-Session", "X-Request-ID"),
)
ANSWER_HEADERS = (
    *("Location", "ETag", "Allow", "Retry-After", "Idempotency-Replayed", "WWW-Authenticate"),
)
CONDITIONS = ("If-Match", "If-None-Match")
# Members of a problem document (RFC 9457) that repeat the status line or the request.
REPEATED_IN_PROBLEMS = ("type", "title", "status", "instance", "request_id")
MAX_BODY = 400  # characters of a body that is not JSON


@dataclass(frozen=True, slots=True)
class Exchange:
    """The lines of one request and of its answer, each at most `width` characters wide."""

    method: str
    address: list[str]
    """The whole address, broken before `/`, `?` and `&` where a line is too short for it."""
    sent: list[str]
    status: str
    returned: list[str]


def exchange(answer: httpx.Response, width: int, fields: Sequence[str] = ()) -> Exchange:
    """Describe an answer and its request; of a JSON answer only these fields, when given."""
    request = answer.request
    return Exchange(
        request.method,
        _folded(str(request.url), width - len(request.method) - 1),
        [*_sent_headers(request), *_sent_body(request, width)],
        f"{answer.status_code} {answer.reason_phrase}",
        [*_returned_headers(answer), *_returned_body(answer, width, fields)],
    )


def _sent_headers(request: httpx.Request) -> list[str]:
    shown = [(name, request.headers[name]) for name in REQUEST_HEADERS if name in request.headers]
    usual = {("Accept", "*/*"), ("Content-Type", "application/json")}
    return [f"{name}: {_short(value)}" for name, value in shown if (name, value) not in usual]


def _returned_headers(answer: httpx.Response) -> list[str]:
    is_conditional = any(name in answer.request.headers for name in CONDITIONS)
    names = [name for name in ANSWER_HEADERS if name != "ETag" or is_conditional]
    return [f"{name}: {answer.headers[name]}" for name in names if name in answer.headers]


def _sent_body(request: httpx.Request, width: int) -> list[str]:
    text = request.content.decode("utf-8", "replace")
    if request.headers.get("content-type") == "application/json":
        try:
            return json_text(json.loads(text), width).splitlines()
        except ValueError:
            pass  # a demo sends broken JSON on purpose, and shows it as it is
    return _cut(text, width)


def _returned_body(answer: httpx.Response, width: int, fields: Sequence[str]) -> list[str]:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind not in {"application/json", "application/problem+json"}:
        return _cut(answer.text, width) if kind == "text/plain" else [f"({kind})"] * bool(kind)
    document = answer.json()
    if fields:
        document = only(document, fields)
    elif kind == "application/problem+json":
        document = only(document, [name for name in document if name not in REPEATED_IN_PROBLEMS])
    return json_text(document, width).splitlines()


def _cut(text: str, width: int) -> list[str]:
    shown = text if len(text) <= MAX_BODY else f"{text[:40]}{MORE} ({len(text):,} characters)"
    lines = shown.strip().splitlines()
    return [line[start : start + width] for line in lines for start in range(0, len(line), width)]


def _short(value: str) -> str:
    return value if len(value) <= MAX_STRING else value[: MAX_STRING - 1] + MORE


def _folded(address: str, width: int) -> list[str]:
    lines = list[str]()
    while len(address) > width:
        cut = max(address.rfind(mark, 1, width) for mark in "/?&")
        cut = cut if cut > len("https://") else width
        lines.append(address[:cut])
        address = address[cut:]
    return [*lines, address]
