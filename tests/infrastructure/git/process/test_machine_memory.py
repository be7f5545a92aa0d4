"""How much memory git may use, and how many jobs run at the same time with it."""

import os
from pathlib import Path

import pytest

from symphony.infrastructure.git.process.machine_memory import concurrency_within, machine_memory
from symphony.infrastructure.git.process.resource_limits import ResourceLimits
from symphony.main import GitLimits
from tests.infrastructure.control_groups import write_control_groups

GIB = 1 << 30
PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("listed", "limits", "expected"),
    [
        ("0::/system.slice/symphony.service\n", {}, PHYSICAL),
        ("0::/a/b\n", {"a/b/memory.max": "4096\n", "a/memory.max": "max\n"}, 4096),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "8192\n"}, 8192),
        ("0::/\n", {"memory.max": "4096\n"}, 4096),
        ("0::/of/the/host\n", {"memory.max": "4096\n"}, 4096),
        ("0::/a\n", {"a/memory.max": f"{PHYSICAL * 2}\n"}, PHYSICAL),
        ("5:cpu,memory:/a\n1:cpu:/b\n", {"memory/a/memory.limit_in_bytes": "4096\n"}, 4096),
        ("", {}, PHYSICAL),
    ],
)
def test_the_lowest_limit_of_the_machine_and_of_the_control_groups_counts(
    listed: str, limits: dict[str, str], expected: int, tmp_path: Path
) -> None:
    groups = write_control_groups(tmp_path, listed, limits)
    assert machine_memory(groups.listed, groups.mount) == expected


def test_without_control_groups_the_memory_of_the_machine_counts(tmp_path: Path) -> None:
    assert machine_memory(tmp_path / "none", tmp_path) == PHYSICAL
    assert 0 < machine_memory() <= PHYSICAL


def test_jobs_are_limited_by_memory_and_no_user_has_more_than_half_of_them() -> None:
    assert concurrency_within(10 * GIB, GIB, highest=16, highest_per_user=4) == (10, 4)
    assert concurrency_within(5 * GIB, GIB, highest=16, highest_per_user=4) == (5, 2)
    assert concurrency_within(100 * GIB, GIB, highest=16, highest_per_user=4) == (16, 4)
    assert concurrency_within(GIB // 2, GIB, highest=16, highest_per_user=4) == (2, 1)


@pytest.mark.parametrize("memory", [4 * GIB, 8 * GIB, 32 * GIB])
def test_all_of_git_together_takes_three_quarters_of_the_memory_at_most(memory: int) -> None:
    limits = GitLimits.for_memory(memory)
    jobs = limits.inspection.concurrency + limits.sync.concurrency
    assert jobs * ResourceLimits().memory <= memory * 3 // 4
