"""In which current states a write may start."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a write requires of the current state; by default nothing.

    With `accepted_tags` the state must exist and have one of these tags; with `rejected_tags` it
    must not have any of those.
    """

    must_exist: bool = False
    must_not_exist: bool = False
    accepted_tags: frozenset[str] | None = None
    rejected_tags: frozenset[str] = frozenset()

    def accepts(self, current_tag: str | None) -> bool:
        """Whether the write may start; the tag is None when nothing exists."""
        if current_tag is None:
            return not self.must_exist and self.accepted_tags is None
        if self.must_not_exist or current_tag in self.rejected_tags:
            return False
        return self.accepted_tags is None or current_tag in self.accepted_tags
