"""Structured logs, as text for people or JSON for machines."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

LogFormat = Literal["text", "json"]


def configure(log_format: LogFormat) -> None:
    """Send all logs, also those of libraries, to standard error in one format."""
    timestamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.processors.KeyValueRenderer(
            key_order=["timestamp", "level", "event"], repr_native_str=False
        )
    )
    # Plain tracebacks, because the values of variables can be secrets.
    rendered = [structlog.processors.format_exc_info, renderer]
    # Symphony's own lines bypass `logging`, which takes several times as long to write one.
    structlog.configure(
        processors=[structlog.processors.add_log_level, timestamp, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
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
