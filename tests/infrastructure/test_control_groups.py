"""How many cores the service uses in a container: those that its CPU limit leaves it."""

import os
from pathlib import Path

import pytest

from symphony.infrastructure import control_groups
from symphony.infrastructure.control_groups import usable_cores
from tests.infrastructure.control_groups import write_control_groups

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
V1_GROUP = "5:memory:/b\n4:cpu,cpuacct:/a\n"


@pytest.mark.parametrize(
    ("listed", "limits", "expected"),
    [
        ("0::/a\n", {"a/cpu.max": "max 100000\n"}, ALL),
        ("0::/a\n", {"a/cpu.max": "100000 100000\n"}, 1),
        ("0::/a\n", {"a/cpu.max": "25000 100000\n"}, 1),
        ("0::/a\n", {"a/cpu.max": "110000 100000\n"}, min(2, ALL)),
        ("0::/a\n", {"a/cpu.max": f"{(ALL + 1) * 50000} 50000\n"}, ALL),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "50000 50000\n"}, 1),
        ("0::/of/the/host\n", {"cpu.max": "50000 50000\n"}, 1),
        (V1_GROUP, {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, ALL),
        (V1_GROUP, {"cpu/a/cpu.cfs_quota_us": "5000", "cpu/a/cpu.cfs_period_us": "100000"}, 1),
        (V1_GROUP, {"cpu/a/cpu.cfs_quota_us": "5000"}, ALL),
        ("", {}, ALL),
    ],
)
def test_the_lowest_limit_of_the_control_groups_counts(
    listed: str, limits: dict[str, str], expected: int, tmp_path: Path
) -> None:
    groups = write_control_groups(tmp_path, listed, limits)
    assert usable_cores(groups.listed, groups.mount) == expected


def test_nothing_counts_the_cores_of_the_whole_machine() -> None:
    package = Path(control_groups.__file__).parents[1]
    modules = {each for each in package.rglob("*.py") if "cpu_count" in each.read_text("utf-8")}
    assert modules == {Path(control_groups.__file__)}


def test_a_process_that_is_bound_to_one_core_uses_one(tmp_path: Path) -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot bind a process to cores")
    bound_to = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(bound_to)})
    try:
        assert usable_cores(tmp_path / "none", tmp_path) == 1
    finally:
        os.sched_setaffinity(0, bound_to)
