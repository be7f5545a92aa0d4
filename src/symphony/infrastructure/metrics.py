"""The metrics of the service, for Prometheus.

With several processes, each one counts in its own files, in the directory that the variable
`PROMETHEUS_MULTIPROC_DIR` names; the process that answers `/metrics` adds up the counts.
"""

import os
import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import (
    MultiProcessCollector,
    mark_process_dead,  # pyright: ignore[reportUnknownVariableType] - has no annotations
)
from prometheus_client.registry import Collector

# Has no annotations.
_merge: Callable[[list[str]], Iterable[Metric]] = MultiProcessCollector.merge  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one process.

    Labels have a small number of values, whatever clients send: a route's template, never a path.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "symphony_http_request_duration_seconds",
            "Seconds from the first byte of a request to the last byte of its response.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._commands = Counter(
            "symphony_commands",
            "Commands by outcome: done, the code of a problem, unavailable, or failed.",
            ("command", "outcome"),
            registry=registry,
        )
        self._log_lines_dropped = Counter(
            "symphony_log_lines_dropped",
            "Log lines that could not be written, or not fast enough.",
            registry=registry,
        )
        self.database_callers = Gauge(
            "symphony_database_callers",
            "Operations that use a connection to the database or are queued for one.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.database_connections = Gauge(
            "symphony_database_connections",
            "Connections to the database in use.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.database_connections_limit = Gauge(
            "symphony_database_connections_limit",
            "Maximum number of connections to the database.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.queries = Counter(
            "symphony_queries",
            "Queries by the server that answered: a replica, or the primary and the reason.",
            ("target", "reason"),
            registry=registry,
        )
        self.replica_usable = Gauge(
            "symphony_replica_usable",
            "Number of processes that ask a replica.",
            ("replica",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.replica_lag = Gauge(
            "symphony_replica_lag_seconds",
            "Seconds that a replica is behind at most, known to about two; +Inf if unknown.",
            ("replica",),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.replica_connections = Gauge(
            "symphony_replica_connections",
            "Connections to a replica in use.",
            ("replica",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        Gauge(
            "symphony_build_info",
            "Always 1; the labels are the versions of Symphony and Python.",
            ("version", "python"),
            multiprocess_mode="max",
            registry=registry,
        ).labels(version("symphony"), platform.python_version()).set(1)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count an answered request; status 0 means that the client had disconnected."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route or "none", str(status)).observe(seconds)

    def command(self, name: str, outcome: str) -> None:
        """Count a finished command."""
        self._commands.labels(name, outcome).inc()

    def log_lines_dropped(self, number: int) -> None:
        """Count log lines that were not written."""
        self._log_lines_dropped.inc(number)

    def text(self) -> bytes:
        """The metrics of all processes in Prometheus' text format."""
        if SHARED_DIRECTORY not in os.environ:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        merged.register(_AllProcesses(Path(os.environ[SHARED_DIRECTORY])))
        return generate_latest(merged)


class _AllProcesses(Collector):
    """The sums of all processes, without empty files, which a process is just creating.

    The library's own collector fails on an empty file, so `/metrics` would return 500 while a
    worker starts.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._directory.glob("*.db") if _size(file)]
        return _merge(files)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # a process has died, and its gauges were removed
        return 0


def forget_process(pid: int) -> None:
    """Remove the gauges of a process that has died; its counters stay in the sums."""
    mark_process_dead(pid)
