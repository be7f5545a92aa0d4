"""Use cases of the checkouts that machines have reported."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.application.app import Queries
from symphony.domain.discovery import FoundRepository, Proposal, RepoKind, remote_to_register
from symphony.domain.discovery import proposals as propose
from symphony.domain.machines.checkouts import Checkout, StoredCheckout
from symphony.domain.machines.matching import match_checkouts
from symphony.domain.reach import Reach
from symphony.domain.repos import RegisteredRepo


@dataclass(frozen=True, slots=True)
class ListMachineCheckouts:
    """List all checkouts of a machine, or only those that are registered, or not."""

    actor: Reach
    machine_id: UUID
    registered: bool | None = None


@dataclass(frozen=True, slots=True)
class GetCheckoutDetails:
    """Get checkouts as they were sent, and which of the `wanted` commits their remotes have."""

    actor: Reach
    checkout_ids: Sequence[UUID]
    wanted: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class ProposedCheckout:
    """A checkout with the fields to register it, and the ids of the repos that it belongs to."""

    proposal: Proposal
    repo_ids: tuple[UUID, ...]
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutDetails:
    """Checkouts by id, and those of the wanted commits that the remotes of each have."""

    sent: Mapping[UUID, Checkout]
    heads: Mapping[UUID, AbstractSet[str]]


async def list_machine_checkouts(
    query: ListMachineCheckouts, queries: Queries
) -> list[ProposedCheckout]:
    """Return the checkouts by path, under names that no repo of the user has.

    Raises: InsufficientScope, NotFound.
    """
    query.actor.require_unconfined()
    repositories = queries.repositories
    await repositories.machines.get(query.actor, query.machine_id)
    of_user = await repositories.checkouts.of_user(query.actor)
    own = [each for each in of_user.checkouts if each.machine_id == query.machine_id]
    own.sort(key=lambda each: each.path)
    sent = await repositories.checkouts.details(query.actor, [each.id for each in own])
    own = [each for each in own if each.id in sent]  # the others were replaced meanwhile
    matched = match_checkouts(of_user.repos, of_user.checkouts)
    names = {each.id: each.name for each in of_user.repos}
    found = [_found(each, sent[each.id], matched.get(each.id, ()), names) for each in own]
    registered = [RegisteredRepo(each.name, each.path) for each in of_user.repos]
    return [
        ProposedCheckout(
            proposal,
            matched.get(checkout.id, ()),
            of_user.machines[checkout.machine_id].last_report_at,
        )
        for checkout, proposal in zip(own, propose(found, registered), strict=True)
        if query.registered in {None, proposal.registered}
    ]


async def get_checkout_details(query: GetCheckoutDetails, queries: Queries) -> CheckoutDetails:
    """Also for a confined token, whose caller knows that they are of repos which it reaches."""
    checkouts = queries.repositories.checkouts
    return CheckoutDetails(
        await checkouts.details(query.actor, query.checkout_ids),
        await checkouts.heads_among(query.actor, query.checkout_ids, query.wanted),
    )


def _found(
    checkout: StoredCheckout,
    sent: Checkout,
    repo_ids: tuple[UUID, ...],
    names: Mapping[UUID, str],
) -> FoundRepository:
    is_linked = sent.status.main_repository is not None
    url, reason = remote_to_register({each.name: each.url for each in sent.remotes})
    return FoundRepository(
        path=checkout.path,
        kind=RepoKind.WORKTREE if is_linked else RepoKind.REPOSITORY,
        remote_url=url,
        reason=reason,
        registered_as=names[repo_ids[0]] if repo_ids else None,
    )
