"""The attention board: unfinished work, unlocked vaults and expiring tokens, with reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from symphony.domain.git.reasons import AttentionReason, repo_reasons
from symphony.domain.json_objects import JsonValue, compact
from symphony.domain.observations import (
    BoardFacts,
    BoardRepo,
    ExpiringToken,
    RepoObservation,
    UnlockedVault,
)

EXPIRES_SOON = timedelta(days=14)
"""How long before its expiry an API token is on the board."""
_NIL = UUID(int=0)


class AttentionKind(StrEnum):
    """The kind of resource that needs attention."""

    REPO = "repo"
    VAULT = "vault"
    API_TOKEN = "api-token"  # noqa: S105 - not a secret


class Inspection(StrEnum):
    """Whether the service inspects repos; not without git roots."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """A resource that needs attention, and why.

    `seen` is None for a vault or an API token, `workspace_id` for an API token.
    """

    kind: AttentionKind
    id: UUID
    name: str
    workspace_id: UUID | None
    reasons: tuple[AttentionReason, ...]
    observed_at: datetime
    seen: RepoObservation | None = None

    @property
    def at_risk(self) -> bool | None:
        """Whether something exists only in the repo's directory; None when it is unknown."""
        return False if self.seen is None else self.seen.at_risk


@dataclass(frozen=True, slots=True)
class AttentionBoard:
    """The items, by workspace in the order of creation, repos before vaults, then by name; then API
    tokens by name.

    `observed_at` is the time of the oldest observation in use, including those of repos
    that need no attention. `unobserved` is the number of repos that have never been inspected.
    """

    items: Sequence[AttentionItem]
    observed_at: datetime
    unobserved: int
    inspection: Inspection

    @property
    def tag(self) -> str:
        """The identifier of everything on the board; times of observations make no difference."""
        items = [
            [
                each.kind,
                each.id.hex,
                each.name,
                each.workspace_id and each.workspace_id.hex,
                each.reasons,
                _told(each),
            ]
            for each in self.items
        ]
        told = [self.unobserved, self.inspection, *items]
        return sha256(compact(told).encode()).hexdigest()[:32]


def attention_board(
    facts: BoardFacts,
    now: datetime,
    inspection: Inspection,
    reason: AttentionReason | None = None,
    *,
    at_risk: bool | None = None,
) -> AttentionBoard:
    """Return the board at the time `now`: all items, or those with a `reason`, or `at_risk`.

    What may be at risk, because it is unknown, is among the items that are.
    """
    items = [
        *_repo_items(facts.repos, now),
        *_vault_items(facts.vaults, now),
        *_token_items(facts.tokens, now),
    ]
    items.sort(key=lambda each: (each.workspace_id is None, each.workspace_id or _NIL))
    times = [each.observation.observed_at for each in facts.repos if each.observation is not None]
    return AttentionBoard(
        items=[
            each
            for each in items
            if reason in {None, *each.reasons} and at_risk in {None, each.at_risk is not False}
        ],
        observed_at=min([*times, now]),
        unobserved=len(facts.repos) - len(times),
        inspection=inspection,
    )


def _repo_items(repos: Sequence[BoardRepo], now: datetime) -> Iterator[AttentionItem]:
    for repo in sorted(repos, key=lambda each: each.name_key):
        seen = repo.observation
        if seen is not None and (reasons := repo_reasons(seen, now)):
            yield AttentionItem(
                AttentionKind.REPO,
                repo.id,
                repo.name,
                repo.workspace_id,
                reasons,
                seen.observed_at,
                seen,
            )


def _vault_items(vaults: Sequence[UnlockedVault], now: datetime) -> Iterator[AttentionItem]:
    for vault in sorted(vaults, key=lambda each: each.name_key):
        reasons = (AttentionReason.UNLOCKED,)
        yield AttentionItem(
            AttentionKind.VAULT, vault.id, vault.name, vault.workspace_id, reasons, now
        )


def _token_items(tokens: Sequence[ExpiringToken], now: datetime) -> Iterator[AttentionItem]:
    for token in sorted(tokens, key=lambda each: (each.name_key, each.id)):  # names may be equal
        reasons = (AttentionReason.TOKEN_EXPIRING,)
        yield AttentionItem(AttentionKind.API_TOKEN, token.id, token.name, None, reasons, now)


def _told(item: AttentionItem) -> Sequence[JsonValue]:
    seen = item.seen
    if seen is None:
        return ()
    return (
        seen.path,
        seen.branch,
        seen.ahead,
        seen.behind,
        seen.staged,
        seen.modified,
        seen.untracked,
        seen.conflicted,
        seen.stashes,
        seen.unpushed_commits,
        seen.unpushed_branches,
        seen.at_risk,
    )
