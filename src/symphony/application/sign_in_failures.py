"""Use cases of failures to sign in to an account, or to unlock a vault."""

from dataclasses import dataclass, field

from symphony.application.app import Queries, Services
from symphony.domain.sign_in_failures import RecentFailures


@dataclass(frozen=True, slots=True)
class GetSignInFailures:
    """Get the failures of `account`, a keyed hash, so no login is stored in readable form."""

    account: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CountSignInFailure:
    account: bytes = field(repr=False)


async def get_sign_in_failures(query: GetSignInFailures, queries: Queries) -> RecentFailures:
    return await queries.repositories.sign_in_failures.recent(query.account)


async def count_sign_in_failure(command: CountSignInFailure, services: Services) -> RecentFailures:
    return await services.sign_in_failures.add(command.account)
