"""What exists only in a repository although git does not report it, and what was not determined."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from symphony.domain.git.since import earliest

_MAX_SENTENCES = 5


@dataclass(slots=True)
class Findings:
    """Whether something that git does not report exists only here, with sentences about it.

    `notes` are shown in any case, `unknown` says why something was not determined. `since` is the
    earliest known time of what exists only here.
    """

    is_at_risk: bool = False
    notes: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    since: datetime | None = None

    @property
    def at_risk(self) -> bool | None:
        """None when nothing was found, and something was not determined."""
        return self.is_at_risk or (None if self.unknown else False)

    def add(self, other: "Findings", where: str = "") -> None:
        """Add the findings of another place; `where` is put before each sentence."""
        self.is_at_risk = self.is_at_risk or other.is_at_risk
        self.since = earliest([self.since, other.since])
        for own, others in ((self.notes, other.notes), (self.unknown, other.unknown)):
            own += [where + each.removeprefix(where) for each in others]


def joined(sentences: Iterable[str | None]) -> str | None:
    """Return different sentences as one text; None without any."""
    unique = list(dict.fromkeys(each for each in sentences if each is not None))
    others = len(unique) - _MAX_SENTENCES
    more = [f"And {others:,} more."] if others > 0 else []
    return " ".join([*unique[:_MAX_SENTENCES], *more]) or None
