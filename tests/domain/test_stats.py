"""The tag of a workspace's numbers."""

from dataclasses import fields, make_dataclass, replace

from symphony.domain.base import new_id
from symphony.domain.workspaces import WorkspaceStats

STATS = WorkspaceStats(new_id(), repo_count=2, vault_count=1)
COUNTERS = [each.name for each in fields(STATS) if each.name != "workspace_id"]


def test_the_tag_of_stats_changes_with_each_field() -> None:
    others = {
        replace(STATS, workspace_id=new_id()).tag,
        *(replace(STATS, **{name: 7}).tag for name in COUNTERS),
    }
    assert len(others | {STATS.tag}) == len(fields(STATS)) + 1


def test_equal_stats_have_equal_tags() -> None:
    assert replace(STATS).tag == STATS.tag


def test_a_counter_added_to_the_stats_is_part_of_the_tag() -> None:
    kind = make_dataclass("More", [("snippet_count", int)], bases=(WorkspaceStats,), frozen=True)
    one, other = (kind(STATS.workspace_id, 2, 1, snippets) for snippets in (3, 4))
    assert one.tag != other.tag


def test_numbers_that_look_alike_side_by_side_have_different_tags() -> None:
    one, other = (
        WorkspaceStats(STATS.workspace_id, repo_count=repos, vault_count=vaults)
        for repos, vaults in ((1, 12), (11, 2))
    )
    assert one.tag != other.tag
