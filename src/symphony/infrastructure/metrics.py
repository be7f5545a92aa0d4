"""What the service counts of itself, for Prometheus.

With several processes, each counts into files of its own in the folder that the variable
`PROMETHEUS_MULTIPROC_DIR` names, and whichever is asked adds them up.
"""

import os
import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import (
    MultiProcessCollector,
    mark_process_dead,  # pyright: ignore[reportUnknownVariableType] - has no annotations
)

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_UP_TO = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counters of one process.

    Labels have few values, whatever is sent: a route's template, never a path.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "symphony_http_request_duration_seconds",
            "Requests, by the time from their first byte to the last of their answer.",
            ("method", "route", "status"),
            buckets=_UP_TO,
            registry=registry,
        )
        self._commands = Counter(
            "symphony_commands",
            "Commands, by how they ended: done, the code of their refusal, unavailable or failed.",
            ("command", "outcome"),
            registry=registry,
        )
        self.database_callers = Gauge(
            "symphony_database_callers",
            "Who uses a connection to the database, or waits in line for one.",
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
            "How many connections there may be.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        Gauge(
            "symphony_build_info",
            "Always 1; the labels tell what is running.",
            ("version", "python"),
            multiprocess_mode="max",
            registry=registry,
        ).labels(version("symphony"), platform.python_version()).set(1)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Counts a request that has been answered; status 0 is one whose client had left."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route or "none", str(status)).observe(seconds)

    def command(self, name: str, outcome: str) -> None:
        """Counts a command that has ended."""
        self._commands.labels(name, outcome).inc()

    def text(self) -> bytes:
        """All that was counted, by all processes, in Prometheus' text format."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)
        return generate_latest(everybody)


def forget_process(pid: int) -> None:
    """What a process that has died was using at the time no longer counts."""
    mark_process_dead(pid)
