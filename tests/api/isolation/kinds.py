"""The kinds of tokens of the matrix, and what the contract answers to each of them."""

from dataclasses import dataclass

from tests.api.isolation import contract
from tests.api.isolation.cases import Case
from tests.api.isolation.contract import ACCESS, READ, REPORT, SECRETS, SETS, WRITE, Scopes

_EVERYWHERE = frozenset({"own", "other", "inside", "outside"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of token; `origin` says where it comes from, see `tokens.py`."""

    name: str
    origin: str
    scopes: Scopes
    owner: str = "ada"
    is_valid: bool = True
    reached: frozenset[str] = _EVERYWHERE
    """The places of which its answers tell, out of those of its user."""

    @property
    def is_access(self) -> bool:
        return self.origin == "sign-in"

    @property
    def is_api_token(self) -> bool:
        return self.origin not in {"none", "sign-in", "generation before"}

    @property
    def is_confined(self) -> bool:
        return "outside" not in self.reached


def _written(scopes: Scopes) -> str:
    return "+".join(each for each in ("read", "write", "secrets", "report") if each in scopes)


def _refused(name: str, origin: str) -> Kind:
    return Kind(name, origin, ACCESS, is_valid=False)


_INSIDE = frozenset({"own", "inside"})

KINDS: dict[str, tuple[Kind, ...]] = {
    "refused": (
        Kind("none", "none", frozenset(), is_valid=False),
        _refused("expired", "expired"),
        _refused("revoked", "revoked"),
        _refused("revoked with its creator", "revoked with its creator"),
        _refused("access of a generation before", "generation before"),
        _refused("confined, expired", "confined, expired"),
        _refused("confined, revoked", "confined, revoked"),
        _refused("rotated without an overlap", "rotated at once"),
        _refused("rotated, after the overlap", "rotated before"),
    ),
    "unconfined": (
        Kind("access", "sign-in", ACCESS),
        *(Kind(_written(each), "created", each) for each in SETS),
        Kind("created by a token", "created by a token", READ | WRITE),
    ),
    "confined": tuple(
        Kind(f"confined, {_written(each)}", "confined", each, reached=_INSIDE) for each in SETS
    ),
    "of special origin": (
        Kind("of another user", "created", ACCESS, owner="eve"),
        Kind("access of another user", "sign-in", ACCESS, owner="eve"),
        Kind("confined, of another user", "confined", ACCESS, owner="eve", reached=_INSIDE),
        Kind(
            "confined to a deleted workspace",
            "confined to a deleted workspace",
            ACCESS,
            reached=frozenset({"own"}),
        ),
        Kind("rotated, in the overlap", "rotated just now", ACCESS),
        Kind("successor", "successor", ACCESS),
        Kind("confined, rotated, in the overlap", "confined, rotated", ACCESS, reached=_INSIDE),
        Kind("confined successor", "confined successor", ACCESS, reached=_INSIDE),
        Kind("report", "report", REPORT),
    ),
}


def expected(kind: Kind, case: Case, place: str) -> str:
    """The answer: a status and code of a problem, or "success"."""
    if not kind.is_valid:
        return "401 unauthenticated"
    if not case.is_allowed(kind.scopes) or _is_beyond_confinement(kind, case, place):
        return "403 insufficient-scope"
    if kind.scopes == REPORT and case.parameter == "machine_id" and place != "own":
        return "403 insufficient-scope"
    if case.key == ("DELETE", "/user-profiles/{user_profile_id}") and not kind.is_access:
        return "403 recent-sign-in-required"
    if place not in kind.reached:
        return f"404 {case.noun}-not-found"
    return _when_reached(kind, case, place)


def _is_beyond_confinement(kind: Kind, case: Case, place: str) -> bool:
    if not kind.is_confined:
        return False
    if contract.is_of_token_itself(*case.key):
        return place != "own"
    return contract.concerns_whole_user(*case.key)


def _when_reached(kind: Kind, case: Case, place: str) -> str:
    match case.key:
        case ("DELETE", "/user-profiles/{user_profile_id}"):
            return "409 user-has-workspaces"
        case ("GET", "/api-tokens/current") if kind.is_access:
            return "404 api-token-not-found"
        case ("POST", "/api-tokens/{api_token_id}/rotate") if place == "other":
            return "success" if kind.is_access else "403 insufficient-scope"
        case ("POST", "/api-tokens/{api_token_id}/rotate") if kind.name.endswith("overlap"):
            return "409 api-token-rotated"
        case ("POST", "/repos/{repo_id}/sync"):
            return "409 no-remote"
        case _:
            return "success"


__all__ = ["KINDS", "READ", "SECRETS", "WRITE", "Kind", "expected"]
