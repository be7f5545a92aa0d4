"""The attention board: unfinished work, unlocked vaults and expiring tokens, with reasons."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from symphony.domain.git.reasons import AttentionReason
from symphony.domain.git.since import earliest
from symphony.domain.git.status import any_of
from symphony.domain.git.work import RemoteHeads
from symphony.domain.json_objects import JsonValue, compact
from symphony.domain.machines.assessment import AssessedCheckout, OwnCheckout, most_at_risk
from symphony.domain.machines.board import BoardMachines
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.observations import BoardFacts, BoardRepo, ExpiringToken, UnlockedVault

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

    A repo has `checkouts`, of which `shown` stands for it. `workspace_id` is None for an API token.
    `at_risk` says whether something exists only in one of the checkouts; None when it is unknown.
    `unfinished_since` is the earliest of the checkouts; None when it is unknown.
    """

    kind: AttentionKind
    id: UUID
    name: str
    workspace_id: UUID | None
    reasons: tuple[AttentionReason, ...]
    observed_at: datetime
    at_risk: bool | None = False
    shown: AssessedCheckout | None = None
    checkouts: Sequence[AssessedCheckout] = ()
    unfinished_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttentionBoard:
    """The items, by workspace in the order of creation, repos before vaults, then by name; then API
    tokens by name.

    `observed_at` is the time of the oldest observation in use, including those of repos
    that need no attention. `unobserved` is the number of repos that have never been inspected and
    are on no machine, or of which another version stored what this one cannot read.
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
                each.at_risk,
                *map(_told, each.checkouts),
            ]
            for each in self.items
        ]
        told = [self.unobserved, self.inspection, *items]
        return sha256(compact(told).encode()).hexdigest()[:32]


def board_machines(
    facts: BoardFacts,
    now: datetime,
    checkouts: UserCheckouts,
    synced: Mapping[UUID, RemoteHeads],
) -> BoardMachines:
    """The checkouts of the machines that concern the repos of a board at the time `now`."""
    own = {
        repo.id: seen and OwnCheckout(seen.path, seen.observed_at, seen)
        for repo in facts.repos
        for seen in [repo.observation]
    }
    return BoardMachines(checkouts, own, synced, now)


def attention_board(
    facts: BoardFacts,
    machines: BoardMachines,
    found: Mapping[UUID, AbstractSet[str]],
    inspection: Inspection,
    reason: AttentionReason | None = None,
    *,
    at_risk: bool | None = None,
) -> AttentionBoard:
    """Return the board at the time of `machines`: all items, or those with a `reason`, or
    `at_risk`.

    What may be at risk, because it is unknown, is among the items that are. `found` are the ids of
    checkouts with those of the `heads_to_find` of `machines` that they know of their remotes.
    """
    now = machines.now
    items = [
        *_repo_items(facts.repos, machines, found),
        *_vault_items(facts.vaults, now),
        *_token_items(facts.tokens, now),
    ]
    items.sort(key=lambda each: (each.workspace_id is None, each.workspace_id or _NIL))
    times = [each.observation.observed_at for each in facts.repos if each.observation is not None]
    unread = machines.partly_unread
    unobserved = [
        each
        for each in facts.repos
        if (each.observation is None and each.id not in machines.of_repos)
        or (unread and each.id in unread)
    ]
    return AttentionBoard(
        items=[
            each
            for each in items
            if reason in {None, *each.reasons} and at_risk in {None, each.at_risk is not False}
        ],
        observed_at=min([*times, *machines.reported_at, now]),
        unobserved=len(unobserved),
        inspection=inspection,
    )


def _repo_items(
    repos: Sequence[BoardRepo],
    machines: BoardMachines,
    found: Mapping[UUID, AbstractSet[str]],
) -> Iterator[AttentionItem]:
    for repo in sorted(repos, key=lambda each: each.name_key):
        checkouts = machines.assessed(repo.id, found)
        applying = {reason for each in checkouts for reason in each.reasons}
        if applying:
            shown = most_at_risk(checkouts)
            yield AttentionItem(
                AttentionKind.REPO,
                repo.id,
                repo.name,
                repo.workspace_id,
                tuple(each for each in AttentionReason if each in applying),
                shown.observed_at,
                any_of([each.at_risk for each in checkouts]),
                shown,
                checkouts,
                earliest(each.unfinished_since for each in checkouts),
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


def _told(checkout: AssessedCheckout) -> Sequence[JsonValue]:
    machine, facts = checkout.machine, checkout.facts
    return (
        machine and (machine.id.hex, machine.name),
        checkout.path,
        checkout.reasons,
        checkout.at_risk,
        facts.branch,
        facts.ahead,
        facts.behind,
        facts.staged,
        facts.modified,
        facts.untracked,
        facts.conflicted,
        facts.stashes,
        facts.unpushed_commits,
        facts.unpushed_branches,
        checkout.unfinished_since and int(checkout.unfinished_since.timestamp()),
    )
