"""Every error the API can answer (RFC 9457): the one table from a code to its status and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from symphony.api.problems.schema import FieldProblem, Problem
from symphony.api.problems.validation_errors import InvalidPart, invalid_parts
from symphony.domain.base import new_id
from symphony.domain.errors import (
    DomainError,
    Invalid,
    LimitReached,
    NamesTaken,
    PreconditionFailed,
)
from symphony.domain.sign_in_failures import TooManyAttempts

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 1  # seconds


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What all problems with one code have in common; `remedy` says what to do about it."""

    status: int
    title: str
    remedy: str


def _not_found(noun: str) -> ProblemType:
    return ProblemType(
        404,
        f"There is no such {noun}",
        f"The id is not the id of a {noun} of yours. It may be mistyped or deleted; list what"
        " there is. What belongs to somebody else does not exist for you.",
    )


def _name_taken(noun: str, place: str) -> ProblemType:
    return ProblemType(
        409,
        f"The {noun}'s name is taken",
        f"Another {noun} {place} has this name. Names are compared without regard to case and"
        " Unicode form. Choose another name.",
    )


def _limit_reached(noun: str, place: str) -> ProblemType:
    return ProblemType(
        409,
        f"The limit of {noun}s is reached",
        f"{place} holds as many {noun}s as it may: `used` of `limit`. Delete one to make room.",
    )


PROBLEMS: dict[str, ProblemType] = {
    "malformed-request": ProblemType(
        400,
        "The request cannot be read",
        "The body must be one JSON document in UTF-8, without NaN or Infinity.",
    ),
    "invalid-cursor": ProblemType(
        400,
        "The cursor does not belong here",
        "A cursor works for the list, order and filters that it came from, and only as it came."
        " Start again without one.",
    ),
    "unauthenticated": ProblemType(
        401,
        "A valid token is needed",
        "Send `Authorization: Bearer …` with an access token from `POST /api/v1/auth/token` that"
        " has not expired, or an API token that has not been revoked.",
    ),
    "invalid-credentials": ProblemType(
        401,
        "The user name or the password is wrong",
        "Check both. For your safety this answer does not tell which of them is wrong.",
    ),
    "insufficient-scope": ProblemType(
        403,
        "The token does not allow this",
        "Reading needs a token with the scope `read`, everything else one with `write`; and no"
        " token can make one that may do more than itself.",
    ),
    "registration-closed": ProblemType(
        403,
        "Registration is closed",
        "Ask whoever runs this service for a user profile: `symphony user create`.",
    ),
    "git-disabled": ProblemType(
        403,
        "This service does not look at repositories",
        "Ask whoever runs it to name the folders in which it may: `symphony serve --git-root`.",
    ),
    "wrong-passphrase": ProblemType(
        403,
        "The passphrase is wrong",
        "Check it: upper and lower case count, and so do spaces. Nobody can recover a passphrase"
        " that is forgotten, nor what it protects.",
    ),
    "route-not-found": ProblemType(
        404, "There is nothing at this address", "Compare the path with the documentation, /docs."
    ),
    "user-profile-not-found": _not_found("user profile"),
    "workspace-not-found": _not_found("workspace"),
    "repo-not-found": _not_found("repo"),
    "vault-not-found": _not_found("vault"),
    "api-token-not-found": _not_found("API token"),
    "method-not-allowed": ProblemType(
        405, "This method is not allowed here", "The header `Allow` lists the methods that are."
    ),
    "entry-not-found": ProblemType(
        404,
        "There is no such entry",
        "Nothing in the vault has this key. Keys are compared character by character; list what"
        " there is.",
    ),
    "version-not-found": ProblemType(
        404, "There is no such version", "The entry's versions so far are fewer; list them."
    ),
    "username-taken": ProblemType(
        409,
        "The user name is taken",
        "User names are compared without regard to case. Choose another one.",
    ),
    "email-taken": ProblemType(
        409, "The e-mail address is taken", "There is a profile with this address already: sign in."
    ),
    "user-has-workspaces": ProblemType(
        409, "The user still has workspaces", "Delete the workspaces first, then the profile."
    ),
    "workspace-name-taken": _name_taken("workspace", "of this user"),
    "repo-name-taken": _name_taken("repo", "in this workspace"),
    "vault-name-taken": _name_taken("vault", "in this workspace"),
    "workspace-limit-reached": _limit_reached("workspace", "The user"),
    "repo-limit-reached": _limit_reached("repo", "The workspace"),
    "vault-limit-reached": _limit_reached("vault", "The workspace"),
    "entry-limit-reached": ProblemType(
        409,
        "The limit of entries is reached",
        "The vault holds as many entries as it may: `used` of `limit`. Delete one to make room, or"
        " use another vault.",
    ),
    "vault-without-passphrase": ProblemType(
        409,
        "The vault has no passphrase",
        "It was made with `protection: none`. Make a vault with a passphrase, and put the entries"
        " there.",
    ),
    "entry-damaged": ProblemType(
        409,
        "The entry is damaged",
        "What is kept of it is not what the service has written. Put it anew or delete it, and tell"
        " whoever runs the service: somebody or something has changed its database.",
    ),
    "vault-damaged": ProblemType(
        409,
        "The vault is damaged",
        "The key of all that is in it is not what the service has written, so nothing in it can be"
        " read. Tell whoever runs the service: a backup may help.",
    ),
    "no-remote": ProblemType(
        409, "The repo has no remote", "Give it a `remote_url` with a PATCH, then try again."
    ),
    "remote-changed": ProblemType(
        409,
        "The repo has got another remote meanwhile",
        "`last_synced` is as it was: sync again to ask the one that it has now.",
    ),
    "sync-in-progress": ProblemType(
        409,
        "The repo is being synchronised already",
        "Wait for the one that is under way; `last_synced` tells when it is done.",
    ),
    "workspace-not-empty": ProblemType(
        409,
        "The workspace is not empty",
        "Delete its repos and vaults first, or everything at once with `?force=true`.",
    ),
    "version-gone": ProblemType(
        410,
        "The version is no longer kept",
        "Of each entry the last ten versions are kept; this one is older.",
    ),
    "precondition-failed": ProblemType(
        412,
        "It is not in the state that you expect",
        "What you sent in `If-Match` is not the present state (`current_version`), or what you sent"
        " in `If-None-Match` is; `*` there is for what does not exist yet. Read it again, and"
        " repeat the change on what you then see.",
    ),
    "payload-too-large": ProblemType(
        413, "The body is too large", "Send less; the limit is in the detail of the answer."
    ),
    "unsupported-media-type": ProblemType(
        415,
        "This media type is not accepted here",
        "Send `Content-Type: application/json`; a PATCH may also be `application/merge-patch+json`,"
        " and a sign-in is `application/x-www-form-urlencoded`.",
    ),
    "validation-error": ProblemType(
        422,
        "The request breaks a rule",
        "`errors` lists what is wrong: `pointer` leads into the body, `parameter` names a part of"
        " the address or a header.",
    ),
    "idempotency-key-reused": ProblemType(
        422,
        "The idempotency key was used for another request",
        "An `Idempotency-Key` names one request: the same path and the same body. Use a new key"
        " for a new request.",
    ),
    "vault-locked": ProblemType(
        423,
        "The vault is locked",
        "Unlock it first: `POST /api/v1/vaults/{id}/unlock`. For the entries of a vault with a"
        " passphrase, send the `session` that this gives as `Vault-Session`, with the same token,"
        " as long as it lives. Deleting the vault works with `?force=true`.",
    ),
    "too-many-attempts": ProblemType(
        429,
        "Too many failed attempts",
        "After five wrong passwords within a minute nobody can sign in to the account, not even"
        " with the right one; the same holds for a vault and its passphrase. Try again after the"
        " seconds that `Retry-After` tells.",
    ),
    "internal-error": ProblemType(
        500,
        "Something went wrong on the server",
        "This is a fault of the service. Tell whoever runs it the `request_id`.",
    ),
    "master-key-missing": ProblemType(
        503,
        "The service lacks a master key",
        "Whoever runs the service has to set `SYMPHONY_MASTER_KEY`, or to give back the key that it"
        " had: the entries of vaults without a passphrase are encrypted with it.",
    ),
    "remote-failed": ProblemType(
        502,
        "The remote gave no answer that could be used",
        "`detail` says why. No credentials are sent, so only what everybody may read can be asked;"
        " and no address in a private network, unless whoever runs this service allows it.",
    ),
    "service-unavailable": ProblemType(
        503,
        "The service cannot answer right now",
        "Try again after the seconds that `Retry-After` tells.",
    ),
    "remote-timeout": ProblemType(
        504,
        "The remote took too long",
        "Try again. What was fetched in the meantime is fetched anew.",
    ),
}


class ApiError(Exception):
    """A refusal that HTTP itself asks for; `code` is one of PROBLEMS."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[InvalidPart] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or f"{PROBLEMS[code].title}."
        self.headers = dict(headers or {})
        self.errors = tuple(errors)


def respond(request: Request, error: Exception) -> Response:
    """The one way in which an error becomes an answer."""
    if isinstance(error, ApiError):
        return _response(request, error.code, error.detail, error.headers, error.errors)
    if isinstance(error, RequestValidationError):
        parts = invalid_parts(error.errors())
        return _response(request, "validation-error", _count(parts), errors=parts)
    if isinstance(error, Invalid):
        parts = [InvalidPart.of_field(each) for each in error.errors]
        return _response(request, "validation-error", _count(parts), errors=parts)
    if isinstance(error, NamesTaken):
        parts = [InvalidPart.of_field(each) for each in error.errors]
        return _response(request, error.slug, error.detail, errors=parts)
    if isinstance(error, DomainError):
        return _response(request, error.slug, error.detail, _headers(error), extra=_members(error))
    raise error


def unavailable(request: Request) -> Response:
    """The database is away, or there is more to do than can be done in time."""
    return _response(
        request,
        "service-unavailable",
        "The service is too busy or cannot reach its database; try again in a moment.",
        {"Retry-After": str(RETRY_AFTER)},
    )


def internal_error(request: Request) -> Response:
    """A fault of ours, of which nothing is told but where to find it in the logs."""
    return _response(request, "internal-error", "Something went wrong; it has been logged.")


def malformed_http() -> Response:
    """The response to bytes that are not HTTP/1.1, which have neither a path nor a request id."""
    request_id = str(new_id())
    return _rendered(
        "",
        request_id,
        "malformed-request",
        "The request is not valid HTTP/1.1.",
        {"X-Request-ID": request_id, "X-Content-Type-Options": "nosniff"},
    )


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its description in the OpenAPI document.

    What routes answer alike is added by `operations`, and the examples by `openapi`.
    """
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({PROBLEMS[code].status for code in codes}):
        names = [f"`{code}`" for code in codes if PROBLEMS[code].status == status]
        described[status] = {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(names)}",
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {
                        code: {"$ref": f"#/components/examples/{code}"}
                        for code in codes
                        if PROBLEMS[code].status == status
                    },
                }
            },
        }
    return described


def _response(
    request: Request,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[InvalidPart] = (),
    extra: Mapping[str, int] | None = None,
) -> Response:
    request_id: str = request.state.request_id
    return _rendered(instance(request), request_id, code, detail, headers, errors, extra)


def _rendered(
    instance: str,
    request_id: str,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[InvalidPart] = (),
    extra: Mapping[str, int] | None = None,
) -> Response:
    kind = PROBLEMS[code]
    problem = Problem(
        type=f"/problems/{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=instance,
        code=code,
        request_id=request_id,
        errors=[FieldProblem(**each.members()) for each in errors] or None,
        **(extra or {}),
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        kind.status,
        headers={
            "Cache-Control": "no-store",
            **({"WWW-Authenticate": "Bearer"} if kind.status == 401 else {}),
            **(headers or {}),
        },
        media_type=MEDIA_TYPE,
    )


def instance(request: Request) -> str:
    """The path as it was sent, which is always ASCII: other bytes are percent-encoded."""
    raw: bytes = request.scope.get("raw_path") or b""
    return raw.decode("ascii", "replace") or request.url.path


def _headers(error: DomainError) -> dict[str, str]:
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(error.retry_after)}
    return {}


def _members(error: DomainError) -> dict[str, int]:
    if isinstance(error, LimitReached):
        return {"limit": error.limit, "used": error.used}
    if isinstance(error, PreconditionFailed) and error.current_version is not None:
        return {"current_version": error.current_version}
    return {}


def _count(parts: Sequence[InvalidPart]) -> str:
    return "One thing is wrong." if len(parts) == 1 else f"{len(parts)} things are wrong."
