"""Memories in a file, for a process that inspects repositories once and ends."""

import gzip
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from symphony.domain.git.status import Head
from symphony.domain.git.work import Integration
from symphony.infrastructure.git.history.commits import Commit
from symphony.infrastructure.git.history.memory import Kept, Memories, Memory
from symphony.infrastructure.git.history.unpushed import Unpushed

_LEVEL = 1  # of compression: the quickest
# What a damaged file raises when it is read.
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zlib.error)


def write_memories(memories: Memories, file: IO[bytes]) -> None:
    """Write what is remembered, a line of JSON for each repository, compressed. Raises: OSError."""
    with gzip.open(file, "wt", compresslevel=_LEVEL, encoding="ascii") as lines:
        for kept in memories.all():
            lines.write(json.dumps(_encoded(kept), separators=(",", ":")) + "\n")


def read_memories(file: Path) -> Memories:
    """Read what was remembered; nothing when there is no file, or it is damaged.

    Only the user of this process may have written it: what it says is believed.
    """
    memories = Memories()
    try:
        with gzip.open(file, "rt", encoding="ascii") as lines:
            for line in lines:
                memories.add(_decoded(json.loads(line)))
    except _DAMAGE:
        return Memories()
    return memories


def _encoded(kept: Kept) -> Mapping[str, Any]:
    memory = kept.memory
    return {
        "repository": kept.repository,
        "times": [[*identity, name, at] for (identity, name), at in kept.times.items()],
        "heads": [
            [asked, head.id, head.subject, head.author, _text(head.authored_at), _text(at)]
            for asked, (head, at) in memory.heads.known().items()
        ],
        "commits": [
            [asked, commit.id, _text(commit.committed_at)]
            for asked, commit in memory.commits.known().items()
            if commit is not None
        ],
        "integrations": [[*pair, found] for pair, found in memory.integrations.known().items()],
        "comparisons": [[*pair, *counts] for pair, counts in memory.comparisons.known().items()],
        "unpushed": [
            [
                digest.hex(),
                each.count,
                {tip: f"{bits:x}" for tip, bits in each.reached.items()},
                each.since,
            ]
            for digest, each in memory.unpushed.known().items()
        ],
        "root_commits": [[d.hex(), ids] for d, ids in memory.root_commits.known().items()],
    }


def _decoded(stored: Mapping[str, Any]) -> Kept:
    """Raises: KeyError, ValueError, TypeError, AttributeError."""
    memory = Memory()
    memory.heads.remember(
        {
            asked: (Head(own, subject, author, _time(authored)), _time(at))
            for asked, own, subject, author, authored, at in stored["heads"]
        }
    )
    memory.commits.remember({asked: Commit(own, _time(at)) for asked, own, at in stored["commits"]})
    memory.integrations.remember(
        {(tip, target): Integration(found) for tip, target, found in stored["integrations"]}
    )
    memory.comparisons.remember(
        {(tip, other): (ahead, behind) for tip, other, ahead, behind in stored["comparisons"]}
    )
    memory.unpushed.remember(
        {
            bytes.fromhex(digest): Unpushed(
                count, reached={tip: int(bits, 16) for tip, bits in reached.items()}, since=since
            )
            for digest, count, reached, since in stored["unpushed"]
        }
    )
    memory.root_commits.remember(
        {bytes.fromhex(digest): tuple(ids) for digest, ids in stored["root_commits"]}
    )
    device, inode = stored["repository"]
    times = {((d, i), name): at for d, i, name, at in stored["times"]}
    return Kept((device, inode), times, memory, len(memory))


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
