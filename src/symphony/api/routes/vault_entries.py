"""Routes of the entries of vaults."""

from dataclasses import asdict, dataclass, field
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from symphony.api.conditions import ExpectedTags, WritePrecondition, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App, VaultSession
from symphony.api.fields import WHOLE_NUMBER, EntryKey, VaultId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Cursor, Limit, cursor_bytes, cursor_text, set_next_link
from symphony.api.problems.damage_log import log_damage
from symphony.api.request import ApiRequest
from symphony.api.responses import CreatedAt, NextCursor
from symphony.api.routing import PREFIX, READ, SECRETS, WRITE, needs_scopes, router
from symphony.application.orchestrations import entry_writes
from symphony.application.vaults import entries as use_cases
from symphony.domain.json_objects import storable_text
from symphony.domain.preconditions import Precondition
from symphony.domain.vaults.entries import (
    MAX_CONTENT_TEXT,
    MAX_CONTENT_TYPE,
    MAX_KEY,
    MEDIA_TYPE_PATTERN,
    Content,
    Encoding,
    EntryVersion,
    content_type,
)
from symphony.domain.vaults.sessions import VaultCredentials

routes = router("vault entries")
_VAULT_PROBLEMS = ("vault-not-found", "vault-locked", "vault-damaged", "master-key-missing")
_MAX_VERSION = 2**31 - 1


async def credentials(
    vault_id: VaultId, session: VaultSession, actor: Actor, response: Response
) -> VaultCredentials:
    response.headers["Cache-Control"] = "no-store"
    return VaultCredentials(actor.reach, vault_id, actor.token_hash, session)


Credentials = Annotated[VaultCredentials, Depends(credentials)]

ContentType = Annotated[
    str,
    AfterValidator(content_type),
    Field(
        description="The media type of the content.",
        examples=["text/plain"],
        json_schema_extra={"pattern": MEDIA_TYPE_PATTERN, "maxLength": MAX_CONTENT_TYPE},
    ),
]
EncodingField = Annotated[
    Encoding,
    Field(description="How `content` is encoded: as plain text, or in base64.", examples=["utf-8"]),
]
ContentText = Annotated[
    str,
    Field(
        description="The content, of at most 256 KiB.",
        examples=["postgresql://acme@db.example.org/acme"],
    ),
]
Version = Annotated[
    int, Field(description="The number of the version, starting at 1.", examples=[1])
]


class EntryPut(BaseModel):
    """The content of an entry."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[ContentText, Field(repr=False, max_length=MAX_CONTENT_TEXT)]
    content_type: ContentType = "text/plain"
    encoding: EncodingField = Encoding.UTF_8


class EntryRestore(BaseModel):
    """The version to restore."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Version, Field(ge=1, le=_MAX_VERSION), WHOLE_NUMBER]


@dataclass(slots=True)
class EntryResponse:
    """An entry without its content."""

    key: EntryKey = field(repr=False)
    version: Version
    size: Annotated[int, Field(description="The size of the content in bytes.", examples=[37])]
    content_type: ContentType
    encoding: EncodingField
    created_at: CreatedAt


@dataclass(slots=True)
class EntryWithContentResponse(EntryResponse):
    """An entry with its content."""

    content: ContentText = field(repr=False)


@dataclass(slots=True)
class EntryList:
    """A page of the entries of a vault."""

    items: Annotated[list[EntryResponse], Field(description="The entries of this page.")]
    next_cursor: NextCursor
    damaged: Annotated[
        int,
        Field(
            description="The number of entries that are not listed because their stored data were"
            " tampered with.",
            examples=[0],
        ),
    ]


@dataclass(slots=True)
class EntryVersionList:
    """The kept versions of an entry."""

    items: Annotated[
        list[EntryResponse], Field(description="At most ten versions, the newest first.")
    ]


@routes.put(
    "/vaults/{vault_id}/entries/{key:entry_key}",
    summary="Create or update an entry",
    responses=problem_responses(
        *_VAULT_PROBLEMS, "entry-limit-reached", "storage-limit-reached", "precondition-failed"
    )
    | {201: {"model": EntryResponse}},
)
@needs_scopes(WRITE | SECRETS)
async def put_entry(
    key: EntryKey,
    body: EntryPut,
    credentials: Credentials,
    precondition: WritePrecondition,
    response: Response,
    app: App,
) -> EntryResponse:
    """Creates an entry, or a new version of an existing one. The last ten versions are kept."""
    content = Content.from_text(body.content, body.content_type, body.encoding)
    entry = await entry_writes.put_entry(
        use_cases.PutEntry(credentials, key, content, precondition), app
    )
    if entry.version == 1:
        response.status_code = 201
        response.headers["Location"] = (
            f"{PREFIX}/vaults/{credentials.vault_id}/entries/{quote(key)}"
        )
    set_etag(response, entry)
    return _response(entry)


@routes.get(
    "/vaults/{vault_id}/entries",
    summary="List entries",
    responses=problem_responses(*_VAULT_PROBLEMS),
)
@needs_scopes(READ | SECRETS)
async def list_entries(
    credentials: Credentials,
    request: ApiRequest,
    response: Response,
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    prefix: Annotated[
        str,
        Query(description="Only entries whose key starts with this text.", max_length=MAX_KEY),
        AfterValidator(storable_text),
    ] = "",
) -> EntryList:
    """Returns a page of the entries of a vault without their contents, sorted by key."""
    sealed = None if cursor is None else cursor_bytes(cursor)
    page = await app.ask(
        use_cases.list_entries, use_cases.ListEntries(credentials, prefix, limit, sealed)
    )
    if page.damaged:
        log_damage(request, vault_id=str(credentials.vault_id), entry_ids=[*map(str, page.damaged)])
    next_cursor = None
    if page.next_cursor is not None:
        next_cursor = cursor_text(page.next_cursor)
        set_next_link(request, response, next_cursor)
    return EntryList([*map(_response, page.items)], next_cursor, len(page.damaged))


@routes.get(
    "/vaults/{vault_id}/entries/{key:entry_key}",
    summary="Get an entry",
    responses=problem_responses(
        *_VAULT_PROBLEMS,
        "entry-not-found",
        "entry-damaged",
        "version-not-found",
        "version-gone",
    ),
)
@needs_scopes(READ | SECRETS)
async def get_entry(
    key: EntryKey,
    credentials: Credentials,
    request: Request,
    response: Response,
    app: App,
    version: Annotated[
        int | None,
        Query(
            ge=1, le=_MAX_VERSION, description="The number of a version; without it, the newest."
        ),
    ] = None,
) -> EntryWithContentResponse:
    """Returns an entry with its content."""
    entry, content = await app.ask(
        use_cases.get_entry, use_cases.GetEntry(credentials, key, version)
    )
    answer_if_modified(request, response, entry.tag)
    return EntryWithContentResponse(**asdict(_response(entry)), content=content.text)


@routes.delete(
    "/vaults/{vault_id}/entries/{key:entry_key}",
    status_code=204,
    summary="Delete an entry",
    responses=problem_responses(*_VAULT_PROBLEMS, "entry-not-found"),
)
@needs_scopes(WRITE | SECRETS)
async def delete_entry(
    key: EntryKey, credentials: Credentials, expected: ExpectedTags, app: App
) -> None:
    """Deletes an entry with all its versions."""
    precondition = Precondition(accepted_tags=expected)
    await entry_writes.delete_entry(use_cases.DeleteEntry(credentials, key, precondition), app)


@routes.get(
    "/vaults/{vault_id}/versions/{key:entry_key}",
    summary="List the versions of an entry",
    responses=problem_responses(*_VAULT_PROBLEMS, "entry-not-found", "entry-damaged"),
)
@needs_scopes(READ | SECRETS)
async def list_entry_versions(
    key: EntryKey, credentials: Credentials, request: Request, response: Response, app: App
) -> EntryVersionList:
    """Returns the kept versions of an entry without their contents, the newest first."""
    versions = await app.ask(
        use_cases.list_entry_versions, use_cases.ListEntryVersions(credentials, key)
    )
    answer_if_modified(request, response, versions[0].tag)
    return EntryVersionList([*map(_response, versions)])


@routes.post(
    "/vaults/{vault_id}/restore/{key:entry_key}",
    summary="Restore a version of an entry",
    responses=problem_responses(
        *_VAULT_PROBLEMS,
        "entry-not-found",
        "entry-damaged",
        "version-not-found",
        "version-gone",
        "storage-limit-reached",
    ),
)
@needs_scopes(WRITE | SECRETS)
async def restore_entry(
    key: EntryKey,
    body: EntryRestore,
    credentials: Credentials,
    expected: ExpectedTags,
    response: Response,
    app: App,
) -> EntryResponse:
    """Creates a new version with the content of an older one. No version is removed."""
    precondition = Precondition(accepted_tags=expected)
    entry = await entry_writes.restore_entry(
        use_cases.RestoreEntry(credentials, key, body.version, precondition), app
    )
    set_etag(response, entry)
    return _response(entry)


def _response(entry: EntryVersion) -> EntryResponse:
    facts = entry.facts
    return EntryResponse(
        entry.key,
        entry.version,
        facts.size,
        facts.content_type,
        facts.encoding,
        facts.created_at,
    )
