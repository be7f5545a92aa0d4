"""The table of problem types (RFC 9457): each code with its status, title and remedy."""

from collections.abc import Mapping
from dataclasses import dataclass

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """The common facts of all problems with one code.

    `remedy` says what the client can do; text between backticks is code.
    """

    status: int
    title: str
    remedy: str


def _noun(
    name: str, *, unique_in: str | None = None, counted_in: str | None = None
) -> dict[str, ProblemType]:
    """Return the problem types of one noun: `-not-found`, `-name-taken` and `-limit-reached`.

    `unique_in` says where its names are unique, `counted_in` names the parent with a limit. Without
    one of these, the noun has no such problem.
    """
    code = name.lower().replace(" ", "-")
    types = {
        f"{code}-not-found": ProblemType(
            404,
            f"{name[0].upper()}{name[1:]} not found",
            f"You own no {name} with this id: the id may be mistyped, or the {name} was deleted."
            f" The response for a {name} of another user is the same.",
        )
    }
    if unique_in:
        types[f"{code}-name-taken"] = ProblemType(
            409,
            f"The {name} name is taken",
            f"Another {name} {unique_in} has this name. Names are compared without regard to case"
            " and Unicode form. Choose another name.",
        )
    if counted_in:
        types[f"{code}-limit-reached"] = ProblemType(
            409,
            f"The limit of {name}s is reached",
            f"{counted_in} has `used` of at most `limit` {name}s. Delete a {name} that is no"
            " longer needed.",
        )
    return types


PROBLEMS: Mapping[str, ProblemType] = {
    **_noun("user profile"),
    **_noun("workspace", unique_in="of this user", counted_in="The user"),
    **_noun("repo", unique_in="in this workspace", counted_in="The workspace"),
    **_noun("vault", unique_in="in this workspace", counted_in="The workspace"),
    **_noun("API token", counted_in="The user"),
    **_noun("machine", unique_in="of this user", counted_in="The user"),
    "malformed-request": ProblemType(
        400,
        "The request cannot be parsed",
        "The body must be one JSON document in UTF-8, without `NaN` or `Infinity`. The request must"
        " be valid HTTP/1.1, with exactly one `Host` field; `detail` says what is wrong.",
    ),
    "invalid-cursor": ProblemType(
        400,
        "The cursor is invalid",
        "A cursor is valid only for the list, order and filters that it was returned for. Send it"
        " unchanged, or request the first page without a cursor.",
    ),
    "unauthenticated": ProblemType(
        401,
        "Authentication is required",
        "Send `Authorization: Bearer …` with an access token from `POST /api/v1/auth/token` that"
        " has not expired, or with an API token that has not been revoked.",
    ),
    "invalid-credentials": ProblemType(
        401,
        "The user name or the password is wrong",
        "Check both. For security, the response does not say which one is wrong.",
    ),
    "insufficient-scope": ProblemType(
        403,
        "The token does not allow the request",
        "GET requires a token with the scope `read`, every other method one with `write`, access to"
        " the secrets in vaults also `secrets`; the header `WWW-Authenticate` names the scopes that"
        " this request requires. A token that is confined to workspaces cannot do what concerns its"
        " user as a whole. An API token cannot create a token with scopes that it lacks itself, or"
        " one that expires later, and can rotate only itself and the tokens that it created.",
    ),
    "recent-sign-in-required": ProblemType(
        403,
        "A recent sign-in is required",
        "Sign in again with `POST /api/v1/auth/token`, and repeat the request with the new access"
        " token within 5 minutes. It cannot be made with an API token.",
    ),
    "registration-closed": ProblemType(
        403,
        "Registration is closed",
        "Ask the operator of the service to create a user profile: `symphony user create`.",
    ),
    "git-disabled": ProblemType(
        403,
        "Access to git repositories is disabled",
        "Ask the operator of the service to configure git roots, the directories that it may"
        " read: `symphony serve --git-root`.",
    ),
    "wrong-passphrase": ProblemType(
        403,
        "The passphrase is wrong",
        "Check it: case and spaces matter. A lost passphrase cannot be recovered, and neither can"
        " the entries that it protects.",
    ),
    "route-not-found": ProblemType(
        404,
        "The path does not exist",
        "Compare the path with the API documentation at `/docs`.",
    ),
    "method-not-allowed": ProblemType(
        405,
        "The method is not allowed for this path",
        "The header `Allow` lists the methods that are allowed.",
    ),
    "entry-not-found": ProblemType(
        404,
        "Entry not found",
        "The vault has no entry with this key. Keys are compared character by character. List the"
        " entries to see their keys.",
    ),
    "version-not-found": ProblemType(
        404,
        "Version not found",
        "The entry has fewer versions. List its versions to see their numbers.",
    ),
    "username-taken": ProblemType(
        409,
        "The user name is taken",
        "User names are compared without regard to case. Choose another user name.",
    ),
    "email-taken": ProblemType(
        409,
        "The e-mail address is taken",
        "A user profile with this address exists. Sign in, or use another address.",
    ),
    "user-has-workspaces": ProblemType(
        409,
        "The user still has workspaces",
        "Delete the workspaces first, then the user profile.",
    ),
    "api-token-rotated": ProblemType(
        409,
        "The API token was rotated before",
        "A token has one successor. Use this one; if its secret was lost, revoke it, and create"
        " another token.",
    ),
    "entry-limit-reached": ProblemType(
        409,
        "The limit of entries is reached",
        "The vault has `used` of at most `limit` entries. Delete an entry that is no longer"
        " needed, or use another vault.",
    ),
    "storage-limit-reached": ProblemType(
        409,
        "The limit of storage is reached",
        "The entries of the vault, or of all your vaults, take `used` of at most `limit` bytes:"
        " encrypted, with all versions. Delete entries that are no longer needed.",
    ),
    "vault-without-passphrase": ProblemType(
        409,
        "The vault has no passphrase",
        "The vault was created with `protection: none`. Create a vault with a passphrase, and put"
        " the entries there.",
    ),
    "entry-damaged": ProblemType(
        409,
        "The entry is damaged",
        "The stored data of the entry differ from what the service wrote. Put the entry again or"
        " delete it, and inform the operator: the database was changed outside the service.",
    ),
    "vault-damaged": ProblemType(
        409,
        "The vault is damaged",
        "The stored key of the vault differs from what the service wrote, so its entries cannot be"
        " decrypted. Inform the operator: a backup may help.",
    ),
    "no-remote": ProblemType(
        409, "The repo has no remote", "Set `remote_url` with a PATCH, then sync again."
    ),
    "remote-changed": ProblemType(
        409,
        "The remote of the repo was updated during the sync",
        "`last_synced` was not updated. Sync again with the new remote.",
    ),
    "sync-in-progress": ProblemType(
        409,
        "Another sync of this repo is in progress",
        "Wait until it has finished: `last_synced` then has a new value.",
    ),
    "workspace-not-empty": ProblemType(
        409,
        "The workspace is not empty",
        "Delete its repos and vaults first, or delete it together with them: `?force=true`.",
    ),
    "version-gone": ProblemType(
        410,
        "The version is no longer kept",
        "The service keeps the last ten versions of each entry; this version is older.",
    ),
    "report-outdated": ProblemType(
        409,
        "The report is outdated",
        "The machine has sent a report with the same `sequence` or a greater one; see"
        " `current_sequence`. If an earlier request of yours has stored it, nothing is left to do."
        " Otherwise inspect the checkouts again, and report them with a greater `sequence`.",
    ),
    "precondition-failed": ProblemType(
        412,
        "The resource has changed",
        "The ETag in `If-Match` is not the current one (see `current_version`), or the one in"
        " `If-None-Match` is; `If-None-Match: *` requires that the resource does not exist. Get"
        " the resource again, and repeat the request for its current state.",
    ),
    "origin-not-allowed": ProblemType(
        400,
        "The web page may not send this request",
        "The operator lists the origins whose web pages may call the API in"
        " `SYMPHONY_CORS_ORIGINS`. Their requests may use only the methods and headers of the API.",
    ),
    "misdirected-request": ProblemType(
        421,
        "The service does not answer for this host",
        "The operator lists the names of the service in `SYMPHONY_ALLOWED_HOSTS`. An IP address or"
        " `localhost` always works.",
    ),
    "range-not-satisfiable": ProblemType(
        416,
        "The range is outside the file",
        "`Content-Range` says how many bytes the file has. Without `Range`, the response is the"
        " whole file.",
    ),
    "payload-too-large": ProblemType(
        413, "The body is too large", "Send a smaller body; `detail` says how large it may be."
    ),
    "unsupported-media-type": ProblemType(
        415,
        "The media type is not supported",
        "Send `Content-Type: application/json`. A PATCH may also use"
        " `application/merge-patch+json`; a sign-in uses `application/x-www-form-urlencoded`. Only"
        " reports of machines may be compressed, with `Content-Encoding: gzip`.",
    ),
    "validation-error": ProblemType(
        422,
        "Validation failed",
        "`errors` lists every invalid field: `pointer` is its place in the body, `parameter` the"
        " name of a path parameter, query parameter or header.",
    ),
    "idempotency-key-reused": ProblemType(
        422,
        "The idempotency key was used for another request",
        "An `Idempotency-Key` identifies one request: the same path and the same body. Use a new"
        " key for a new request.",
    ),
    "vault-locked": ProblemType(
        423,
        "The vault is locked",
        "Unlock the vault: `POST /api/v1/vaults/{id}/unlock`. If it has a passphrase, send the"
        " `session` of that response as `Vault-Session`, with the same token, until the session"
        " expires. To delete a locked vault, use `?force=true`.",
    ),
    "too-many-attempts": ProblemType(
        429,
        "Too many failed attempts",
        "After five wrong passwords, attempts with the same login and from the same address are"
        " refused for a second, also with the right password. Each further failure doubles the"
        " pause, up to 15 minutes. The same applies to a vault and its passphrase. After 100 wrong"
        " passwords from addresses that never signed in with a login, such addresses are refused"
        " for up to an hour. Retry after the number of seconds in `Retry-After`.",
    ),
    "too-many-reports": ProblemType(
        429,
        "Too many reports",
        "A machine may report once a second. Retry after the number of seconds in `Retry-After`."
        " Only reports that would otherwise be accepted are refused so.",
    ),
    "header-fields-too-large": ProblemType(
        431,
        "The header fields are too large",
        "Send a shorter address, and fewer or shorter header fields: cookies, for example. The same"
        " limits apply to the trailers of a chunked body. The server has closed the connection.",
    ),
    "internal-error": ProblemType(
        500,
        "Internal error",
        "This is a fault of the service. Report the `request_id` to the operator.",
    ),
    "remote-failed": ProblemType(
        502,
        "The remote failed",
        "`detail` says why. The service sends no credentials, so only public remotes can be synced."
        " It connects to private networks only if the operator allows it.",
    ),
    "master-key-missing": ProblemType(
        503,
        "The service has no master key",
        "The operator must set `SYMPHONY_MASTER_KEY`, or restore the key that was used before: the"
        " entries of vaults without a passphrase are encrypted with it.",
    ),
    "service-unavailable": ProblemType(
        503,
        "The service is unavailable",
        "Retry after the number of seconds in `Retry-After`.",
    ),
    "remote-timeout": ProblemType(
        504,
        "The remote took too long",
        "Sync again later. Nothing of the incomplete sync is kept.",
    ),
}


def problem_type(code: str) -> ProblemType:
    """Return the type of a code.

    Raises: LookupError for a code without an entry, so that routes which document it cannot be
    imported.
    """
    try:
        return PROBLEMS[code]
    except KeyError:
        raise LookupError(f"{code!r} has no entry in symphony.api.problems.catalogue") from None
