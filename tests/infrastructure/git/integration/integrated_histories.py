"""Histories of a branch `tip` and a default branch `main`, and whether one is in the other."""

from collections.abc import Callable

from symphony.domain.git.work import Integration
from tests.infrastructure.git.integration.builder import HistoryBuilder, lines

B, C, FAR = (20, "changed"), (22, "changed too"), (2, "far away")


def _forked(build: HistoryBuilder, **more: str) -> None:
    """Add a base, and a branch of two commits."""
    build.commit("base", {"f": lines(), **more})
    build.commit("tip1", {"f": lines(B), **more}, "base")
    build.commit("tip", {"f": lines(B), "new": "n\n", **more}, "tip1")


def squashed(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("main", {"f": lines(B), "new": "n\n"}, "base")


def squashed_after_main_moved_on(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(), "other": "o\n"}, "base")
    build.commit("m2", {"f": lines(B), "new": "n\n", "other": "o\n"}, "m1")
    build.commit("main", {"f": lines(B), "new": "n\n", "other": "p\n"}, "m2")


def squashed_beside_a_far_edit(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": "first\n" + lines(FAR)}, "base")
    build.commit("main", {"f": "first\n" + lines(FAR, B), "new": "n\n"}, "m1")


def squashed_rename(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"g": lines(B)}, "base")
    build.commit("m1", {"f": lines(), "other": ""}, "base")
    build.commit("main", {"g": lines(B), "other": ""}, "m1")


def squashed_binary_file(build: HistoryBuilder) -> None:
    build.commit("base", {"f": b"\0one"})
    build.commit("tip", {"f": b"\0two"}, "base")
    build.commit("m1", {"f": b"\0one", "other": ""}, "base")
    build.commit("main", {"f": b"\0two", "other": ""}, "m1")


def another_binary_file(build: HistoryBuilder) -> None:
    build.commit("base", {"f": b"\0one"})
    build.commit("tip", {"f": b"\0two"}, "base")
    build.commit("main", {"f": b"\0three"}, "base")


def squashed_mode(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"*f": lines()}, "base")
    build.commit("m1", {"f": lines(B)}, "base")
    build.commit("main", {"*f": lines(B)}, "m1")


def mode_that_main_does_not_have(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"*f": lines(B)}, "base")
    build.commit("main", {"f": lines(B)}, "base")


def squashed_removal(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines(), "g": "g\n"})
    build.commit("tip", {"f": lines()}, "base")
    build.commit("m1", {"f": lines(B), "g": "g\n"}, "base")
    build.commit("main", {"f": lines(B)}, "m1")


def other_indentation(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines((20, "    if x:"))}, "base")
    build.commit("main", {"f": lines((20, "if x:"))}, "base")


def other_line_ends(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines((20, "x\r"))}, "base")
    build.commit("main", {"f": lines((20, "x"))}, "base")


def no_newline_at_the_end(build: HistoryBuilder) -> None:
    build.commit("base", {"f": "a\nb\n"})
    build.commit("tip", {"f": "a\nb\nc"}, "base")
    build.commit("main", {"f": "a\nb\nc\n"}, "base")


def conflict_resolved_while_squashing(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines(B)}, "base")
    build.commit("m1", {"f": lines((20, "of main"))}, "base")
    build.commit("m2", {"f": lines(B)}, "m1")
    build.commit("main", {"f": lines(B, FAR)}, "m2")


def conflict_resolved_by_something_else(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines(B)}, "base")
    build.commit("m1", {"f": lines((20, "of main"))}, "base")
    build.commit("main", {"f": lines((20, "changed, of main"))}, "m1")


def main_renamed_the_file(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines(B)}, "base")
    build.commit("m1", {"g": lines()}, "base")
    build.commit("main", {"g": lines(B)}, "m1")


def stacked_and_both_squashed(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("a", {"f": lines(B)}, "base")
    build.commit("tip", {"f": lines(B, C)}, "a")
    build.commit("m1", {"f": lines(B)}, "base")
    build.commit("m2", {"f": lines(B), "other": ""}, "m1")
    build.commit("main", {"f": lines(B, C), "other": ""}, "m2")


def stacked_and_the_first_squashed(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("a", {"f": lines(B)}, "base")
    build.commit("tip", {"f": lines(B, C)}, "a")
    build.commit("main", {"f": lines(B)}, "base")


def squashed_then_reverted(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(B), "new": "n\n"}, "base")
    build.commit("main", {"f": lines()}, "m1")


def squashed_then_overwritten(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(B), "new": "n\n"}, "base")
    build.commit("main", {"f": lines((20, "other")), "new": "n\n"}, "m1")


def commit_and_its_undoing(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip1", {"f": lines(B)}, "base")
    build.commit("tip", {"f": lines()}, "tip1")
    build.commit("main", {"f": lines(), "other": ""}, "base")


def empty_commit(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines()}, "base")
    build.commit("m1", {"f": lines()}, "base")
    build.commit("main", {"f": lines(), "other": ""}, "m1")


def main_merged_then_squashed(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(FAR)}, "base")
    build.commit("merge", {"f": lines(FAR, B), "new": "n\n"}, "tip", "m1")
    build.commit("tip3", {"f": lines(FAR, B, C), "new": "n\n"}, "merge")
    build.commit("m2", {"f": lines(FAR), "other": ""}, "m1")
    build.commit("main", {"f": lines(FAR, B, C), "new": "n\n", "other": ""}, "m2")


def squashed_then_main_merged(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(B), "new": "n\n"}, "base")
    build.commit("m2", {"f": lines(B), "new": "n\n", "other": ""}, "m1")
    build.commit("tip3", {"f": lines(B), "new": "n\n", "other": ""}, "tip", "m2")
    build.commit("main", {"f": lines(B), "new": "n\n", "other": "o"}, "m2")


def main_merged_instead_of_the_own_changes(build: HistoryBuilder) -> None:
    """A merge with the strategy `theirs`."""
    _forked(build)
    build.commit("m1", {"f": lines(FAR)}, "base")
    build.commit("tip3", {"f": lines(FAR)}, "tip", "m1")
    build.commit("main", {"f": lines(FAR), "other": ""}, "m1")


def two_merge_bases(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("a", {"f": lines(B)}, "base")
    build.commit("b", {"f": lines(FAR)}, "base")
    build.commit("tip1", {"f": lines(B, FAR)}, "a", "b")
    build.commit("m1", {"f": lines(B, FAR)}, "b", "a")
    build.commit("tip", {"f": lines(B, FAR, C)}, "tip1")
    build.commit("main", {"f": lines(B, FAR, C)}, "m1")


def content_only_in_a_merge(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("a", {"f": lines(B)}, "base")
    build.commit("b", {"f": lines(FAR)}, "base")
    build.commit("tip", {"f": lines(B, FAR), "evil": "only here\n"}, "a", "b")
    build.commit("m1", {"f": lines(B)}, "base")
    build.commit("main", {"f": lines(B, FAR)}, "m1")


def same_lines_at_another_place(build: HistoryBuilder) -> None:
    block = "begin\na\nb\nc\nold\nd\ne\nf\nend\n"
    new = block.replace("old", "new")
    build.commit("base", {"f": block * 2})
    build.commit("tip", {"f": new + block}, "base")
    build.commit("main", {"f": block + new}, "base")


def rebased(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(FAR)}, "base")
    build.commit("m2", {"f": lines(FAR, B)}, "m1")
    build.commit("m3", {"f": lines(FAR, B), "new": "n\n"}, "m2")
    build.commit("main", {"f": lines(FAR, (20, "later")), "new": "m\n"}, "m3")


def picked_in_part(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(), "x": ""}, "base")
    build.commit("main", {"f": lines(B), "x": ""}, "m1")


def one_line_is_missing(build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines(B, C, (30, "only here"))}, "base")
    build.commit("main", {"f": lines(B, C)}, "base")


def squashed_with_other_changes(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("main", {"f": lines(B, FAR), "new": "n\n", "other": "o\n"}, "base")


def not_integrated(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("main", {"f": lines(FAR)}, "base")


def not_integrated_and_main_unchanged(build: HistoryBuilder) -> None:
    build.commit("main", {"f": lines()})
    build.commit("tip", {"f": lines(B)}, "main")


def squashed_and_continued(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("tip3", {"f": lines(B), "new": "n\nmore\n"}, "tip")
    build.commit("main", {"f": lines(B), "new": "n\n"}, "base")


def the_same_change_before_the_merge_base(build: HistoryBuilder) -> None:
    build.commit("m1", {"f": lines()})
    build.commit("m2", {"f": lines(B)}, "m1")
    build.commit("base", {"f": lines()}, "m2")
    build.commit("tip", {"f": lines(B)}, "base")
    build.commit("main", {"f": lines(), "other": ""}, "base")


def in_a_merged_side_branch(build: HistoryBuilder) -> None:
    """Picked to a branch that is older than the merge base, and merged later."""
    build.commit("root", {"f": lines()})
    build.commit("side", {"f": lines(B), "new": "n\n"}, "root")
    build.commit("base", {"f": lines(), "other": ""}, "root")
    build.commit("tip", {"f": lines(B), "new": "n\n", "other": ""}, "base")
    build.commit("m1", {"f": lines(B), "new": "n\n", "other": ""}, "base", "side")
    build.commit("main", {"f": lines(FAR)}, "m1")


def unrelated(build: HistoryBuilder) -> None:
    build.commit("main", {"f": lines()})
    build.commit("tip", {"g": lines()})


def rewritten_from_the_root(build: HistoryBuilder) -> None:
    """The same commits with other ids, as after the author was changed everywhere."""
    build.commit("a", {"f": lines()})
    build.commit("tip", {"f": lines(B)}, "a")
    build.commit("m1", {"f": lines()})
    build.commit("m2", {"f": lines(B)}, "m1")
    build.commit("main", {"f": lines(C)}, "m2")


def merged(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("main", {"f": lines(B), "new": "n\n"}, "base", "tip")


def merged_and_moved_on(build: HistoryBuilder) -> None:
    _forked(build)
    build.commit("m1", {"f": lines(B), "new": "n\n"}, "base", "tip")
    build.commit("main", {}, "m1")


def submodule(build: HistoryBuilder) -> None:
    build.commit("base", {"@sub": "1" * 40})
    build.commit("tip", {"@sub": "2" * 40}, "base")
    build.commit("main", {"@sub": "3" * 40}, "base")


def squashed_submodule(build: HistoryBuilder) -> None:
    build.commit("base", {"@sub": "1" * 40})
    build.commit("tip", {"@sub": "2" * 40}, "base")
    build.commit("m1", {"@sub": "2" * 40}, "base")
    build.commit("main", {"@sub": "3" * 40}, "m1")


def unusual_paths(build: HistoryBuilder) -> None:
    names = ('"quoted"', "\ttab", "grün", " missing", "-option", "a b", ".dot")
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines(), **{f"d/{name}": "n\n" for name in names}}, "base")
    build.commit("main", {"f": lines(), "other": ""}, "base")


YES, NO = Integration.SQUASHED, Integration.NO
HISTORIES: tuple[tuple[Callable[[HistoryBuilder], None], Integration], ...] = (
    (squashed, YES),
    (squashed_after_main_moved_on, YES),
    (squashed_beside_a_far_edit, YES),
    (squashed_rename, YES),
    (squashed_binary_file, YES),
    (another_binary_file, NO),
    (squashed_mode, YES),
    (mode_that_main_does_not_have, NO),
    (squashed_removal, YES),
    (other_indentation, NO),
    (other_line_ends, NO),
    (no_newline_at_the_end, NO),
    (conflict_resolved_while_squashing, YES),
    (conflict_resolved_by_something_else, NO),
    (main_renamed_the_file, YES),
    (stacked_and_both_squashed, YES),
    (stacked_and_the_first_squashed, NO),
    (squashed_then_reverted, YES),
    (squashed_then_overwritten, YES),
    (commit_and_its_undoing, NO),
    (empty_commit, NO),
    (main_merged_then_squashed, YES),
    (squashed_then_main_merged, YES),
    (main_merged_instead_of_the_own_changes, NO),
    (two_merge_bases, Integration.UNKNOWN),
    (content_only_in_a_merge, NO),
    (same_lines_at_another_place, YES),
    (rebased, YES),
    (picked_in_part, NO),
    (one_line_is_missing, NO),
    (squashed_with_other_changes, YES),
    (not_integrated, NO),
    (not_integrated_and_main_unchanged, NO),
    (squashed_and_continued, NO),
    (the_same_change_before_the_merge_base, NO),
    (in_a_merged_side_branch, YES),
    (unrelated, NO),
    (rewritten_from_the_root, YES),
    (merged, Integration.MERGED),
    (merged_and_moved_on, Integration.MERGED),
    (submodule, NO),
    (squashed_submodule, YES),
    (unusual_paths, NO),
)
