"""Preconditions: the current states in which a write may start."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Precondition:
    """A requirement of a write for the current state; by default none.

    With `accepted_tags` the state must exist and have one of these tags; with `rejected_tags` it
    must have none of these.
    """

    must_exist: bool = False
    must_not_exist: bool = False
    accepted_tags: frozenset[str] | None = None
    rejected_tags: frozenset[str] = frozenset()

    def accepts(self, current_tag: str | None) -> bool:
        """Return whether the write may start; the tag is None when nothing exists."""
        if current_tag is None:
            return not self.must_exist and self.accepted_tags is None
        if self.must_not_exist or current_tag in self.rejected_tags:
            return False
        return self.accepted_tags is None or current_tag in self.accepted_tags
