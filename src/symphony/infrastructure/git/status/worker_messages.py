"""What a service and its inspection workers send each other: pickled values with their length."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symphony.domain.git.status import RepoStatus
from symphony.infrastructure.git.confinement.landlock import Landlock
from symphony.infrastructure.git.files.user_config import UserConfig
from symphony.infrastructure.git.status.limits import InspectionLimits

LENGTH_BYTES = 4
"""Each message begins with its length, a big-endian integer."""


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What a worker needs to inspect as the service does; the first message that it gets. The
    others are a `Directory` each."""

    roots: Sequence[Path]
    limits: InspectionLimits
    landlock: Landlock | None
    use_user_config: bool
    user_config: UserConfig | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """The answer of a worker: a status, and what was logged meanwhile."""

    status: RepoStatus
    log: Sequence[str]


def packed(message: object) -> bytes:
    """Return a message as it is sent."""
    content = pickle.dumps(message)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def unpacked(content: bytes) -> Any:
    """Return the message that was sent behind its length."""
    return pickle.loads(content)  # noqa: S301 - sent by a process of ours
