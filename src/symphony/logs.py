"""Structured logs, as text for people or JSON for machines."""

import atexit
import logging
import sys
from collections.abc import Callable
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from symphony.console import streams
from symphony.line_writer import LineWriter

LogFormat = Literal["text", "json"]

_WRITTEN_WITHIN = 1.0  # seconds that a process waits for its last lines when it exits

_output = LineWriter(streams.OUTPUT)
# Python's stream is None when the descriptor was closed: another file may have its number now.
_errors = LineWriter(-1 if sys.stderr is None else streams.ERRORS)  # pyright: ignore[reportUnnecessaryComparison]


def configure(log_format: LogFormat) -> None:
    """Send all logs, also those of libraries, to standard error in one format.

    Lines that cannot be written are dropped; no caller waits for them or gets an error.
    """
    rendered: list[Processor] = [
        # Plain tracebacks, because the values of variables can be secrets.
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer() if log_format == "json" else _for_people,
    ]
    timestamp: Processor = (
        structlog.processors.TimeStamper(fmt="iso", utc=True)
        if log_format == "json"
        else structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    )
    # Symphony's own lines bypass `logging`, which takes several times as long to write one.
    structlog.configure(
        processors=[structlog.processors.add_log_level, timestamp, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_errors),  # pyright: ignore[reportArgumentType] - uses only write and flush
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_errors)  # uses only write and flush, too
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                timestamp,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for chatty in ("uvicorn", "alembic", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def redirect_streams() -> None:
    """Write everything that this process prints as it writes its logs, without waiting.

    For a service: a traceback of a thread or a warning must not stop it either.
    """
    sys.stdout = streams.text_stream(_Lines(streams.OUTPUT, _output), sys.stdout)
    sys.stderr = streams.text_stream(_Lines(streams.ERRORS, _errors), sys.stderr)


def count_dropped(count: Callable[[int], None]) -> None:
    """Pass the number of log lines that are dropped to `count`, also of those until now."""
    _errors.count_dropped(count)


def report_dropped() -> None:
    """Pass on what was dropped while the thread that writes the lines is blocked."""
    _errors.report_dropped()


@atexit.register
def finish() -> None:
    """Wait for the lines that are still to be written, for a limited time."""
    for writer in (_output, _errors):
        writer.finish(_WRITTEN_WITHIN)


class _Lines(streams.Descriptor):
    """A stream that a `LineWriter` writes; the text stream around it passes complete lines."""

    def __init__(self, number: int, writer: LineWriter) -> None:
        super().__init__(number)
        self._writer = writer

    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - what TextIOWrapper passes
        self._writer.write_bytes(bytes(data))
        return len(data)


def _for_people(_logger: WrappedLogger, _method: str, fields: EventDict) -> str:
    """A short line for a terminal: only what is known, and of a request only what identifies it."""
    time, level, event = (fields.pop(name) for name in ("timestamp", "level", "event"))
    logger = fields.pop("logger", "")
    traceback = fields.pop("exception", None)
    if logger == "symphony.requests" and event == "request":
        fields.pop("user_id", None)
        words = [
            fields.pop("method"),
            fields.pop("route") or "-",
            str(fields.pop("status") or "disconnected"),
            f"{fields.pop('ms'):.1f}ms",
            fields.pop("request_id"),
        ]
    else:
        words = [
            streams.printable(event if logger.startswith("symphony") else f"{logger}: {event}")
        ]
    words += [
        streams.printable(f"{name}={value}") for name, value in fields.items() if value is not None
    ]
    severity = [] if level == "info" else [level.upper()]
    return " ".join((time, *severity, *words)) + (f"\n{traceback}" if traceback else "")
