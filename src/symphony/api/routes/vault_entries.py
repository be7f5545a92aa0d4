"""Routes of the entries of vaults."""

from dataclasses import asdict, dataclass, field
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from symphony.api.conditions import ExpectedTags, WritePrecondition, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App, VaultSession
from symphony.api.fields import WHOLE_NUMBER, EntryKey, VaultId
from symphony.api.pagination import Cursor, Limit, cursor_bytes, cursor_text, link_to_next
from symphony.api.problems.catalogue import documented
from symphony.api.problems.damage import warn_of_damage
from symphony.api.request import ApiRequest
from symphony.api.responses import CreatedAt, NextCursor
from symphony.api.routing import PREFIX, router
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
_ANYTHING_OF_A_VAULT = ("vault-not-found", "vault-locked", "vault-damaged", "master-key-missing")
_MAX_VERSION = 2**31 - 1


async def credentials(
    vault_id: VaultId, session: VaultSession, actor: Actor, response: Response
) -> VaultCredentials:
    response.headers["Cache-Control"] = "no-store"
    return VaultCredentials(actor.user_id, vault_id, actor.token_hash, session)


Visit = Annotated[VaultCredentials, Depends(credentials)]

ContentType = Annotated[
    str,
    AfterValidator(content_type),
    Field(
        description="A media type.",
        examples=["text/plain"],
        json_schema_extra={"pattern": MEDIA_TYPE_PATTERN, "maxLength": MAX_CONTENT_TYPE},
    ),
]
EncodingField = Annotated[
    Encoding,
    Field(description="How `content` stands here: as it is, or in base64.", examples=["utf-8"]),
]
ContentText = Annotated[
    str,
    Field(description="At most 256 KiB.", examples=["postgresql://acme@db.example.org/acme"]),
]
Version = Annotated[int, Field(description="Counted from 1.", examples=[1])]


class EntryPut(BaseModel):
    """What is to be kept."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[ContentText, Field(repr=False, max_length=MAX_CONTENT_TEXT)]
    content_type: ContentType = "text/plain"
    encoding: EncodingField = Encoding.UTF_8


class EntryRestore(BaseModel):
    """Which version is to be the newest once more."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Version, Field(ge=1, le=_MAX_VERSION), WHOLE_NUMBER]


@dataclass(slots=True)
class EntryResponse:
    """An entry of a vault, without its content."""

    key: EntryKey = field(repr=False)
    version: Version
    size: Annotated[int, Field(description="Of the content, in bytes.", examples=[37])]
    content_type: ContentType
    encoding: EncodingField
    created_at: CreatedAt


@dataclass(slots=True)
class EntryWithContentResponse(EntryResponse):
    """An entry of a vault."""

    content: ContentText = field(repr=False)


@dataclass(slots=True)
class EntryList:
    """A page of the entries of a vault."""

    items: Annotated[list[EntryResponse], Field(description="The entries of this page.")]
    next_cursor: NextCursor
    damaged: Annotated[
        int,
        Field(
            description="How many entries of the vault cannot be shown, for they were altered"
            " where they are kept.",
            examples=[0],
        ),
    ]


@dataclass(slots=True)
class EntryVersionList:
    """The versions of an entry that are kept, the newest first."""

    items: Annotated[list[EntryResponse], Field(description="At most ten.")]


@routes.put(
    "/vaults/{vault_id}/entries/{key:entry_key}",
    summary="Put an entry",
    responses=documented(*_ANYTHING_OF_A_VAULT, "entry-limit-reached", "precondition-failed")
    | {201: {"model": EntryResponse}},
)
async def put_entry(
    key: EntryKey,
    body: EntryPut,
    visit: Visit,
    precondition: WritePrecondition,
    response: Response,
    app: App,
) -> EntryResponse:
    """Keeps a content under a key. What is there already gets another version; the last ten are
    kept."""
    content = Content.from_text(body.content, body.content_type, body.encoding)
    entry = await entry_writes.put_entry(use_cases.PutEntry(visit, key, content, precondition), app)
    if entry.version == 1:
        response.status_code = 201
        response.headers["Location"] = f"{PREFIX}/vaults/{visit.vault_id}/entries/{quote(key)}"
    set_etag(response, entry)
    return _shown(entry)


@routes.get(
    "/vaults/{vault_id}/entries",
    summary="List entries",
    responses=documented(*_ANYTHING_OF_A_VAULT),
)
async def list_entries(
    visit: Visit,
    request: ApiRequest,
    response: Response,
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    prefix: Annotated[
        str,
        Query(description="Only those whose keys begin so.", max_length=MAX_KEY),
        AfterValidator(storable_text),
    ] = "",
) -> EntryList:
    """The entries of a vault by their keys, code point by code point, without their contents."""
    sealed = None if cursor is None else cursor_bytes(cursor)
    page = await app.ask(
        use_cases.list_entries, use_cases.ListEntries(visit, prefix, limit, sealed)
    )
    if page.damaged:
        warn_of_damage(request, vault_id=str(visit.vault_id), entry_ids=[*map(str, page.damaged)])
    next_cursor = None
    if page.next_cursor is not None:
        next_cursor = cursor_text(page.next_cursor)
        link_to_next(request, response, next_cursor)
    return EntryList([*map(_shown, page.items)], next_cursor, len(page.damaged))


@routes.get(
    "/vaults/{vault_id}/entries/{key:entry_key}",
    summary="Read an entry",
    responses=documented(
        *_ANYTHING_OF_A_VAULT,
        "entry-not-found",
        "entry-damaged",
        "version-not-found",
        "version-gone",
    ),
)
async def get_entry(
    key: EntryKey,
    visit: Visit,
    request: Request,
    response: Response,
    app: App,
    version: Annotated[
        int | None, Query(ge=1, le=_MAX_VERSION, description="An older version.")
    ] = None,
) -> EntryWithContentResponse:
    """One entry with its content, by its key."""
    entry, content = await app.ask(use_cases.get_entry, use_cases.GetEntry(visit, key, version))
    answer_if_modified(request, response, entry.tag)
    return EntryWithContentResponse(**asdict(_shown(entry)), content=content.text)


@routes.delete(
    "/vaults/{vault_id}/entries/{key:entry_key}",
    status_code=204,
    summary="Delete an entry",
    responses=documented(*_ANYTHING_OF_A_VAULT, "entry-not-found"),
)
async def delete_entry(key: EntryKey, visit: Visit, expected: ExpectedTags, app: App) -> None:
    """Deletes all its versions."""
    precondition = Precondition(accepted_tags=expected)
    await entry_writes.delete_entry(use_cases.DeleteEntry(visit, key, precondition), app)


@routes.get(
    "/vaults/{vault_id}/versions/{key:entry_key}",
    summary="List the versions of an entry",
    responses=documented(*_ANYTHING_OF_A_VAULT, "entry-not-found", "entry-damaged"),
)
async def list_entry_versions(
    key: EntryKey, visit: Visit, request: Request, response: Response, app: App
) -> EntryVersionList:
    """The versions of an entry that are kept, without their contents."""
    versions = await app.ask(use_cases.list_entry_versions, use_cases.ListEntryVersions(visit, key))
    answer_if_modified(request, response, versions[0].tag)
    return EntryVersionList([*map(_shown, versions)])


@routes.post(
    "/vaults/{vault_id}/restore/{key:entry_key}",
    summary="Restore a version of an entry",
    responses=documented(
        *_ANYTHING_OF_A_VAULT,
        "entry-not-found",
        "entry-damaged",
        "version-not-found",
        "version-gone",
    ),
)
async def restore_entry(
    key: EntryKey,
    body: EntryRestore,
    visit: Visit,
    expected: ExpectedTags,
    response: Response,
    app: App,
) -> EntryResponse:
    """Makes an older version the newest one once more; those between stay."""
    precondition = Precondition(accepted_tags=expected)
    entry = await entry_writes.restore_entry(
        use_cases.RestoreEntry(visit, key, body.version, precondition), app
    )
    set_etag(response, entry)
    return _shown(entry)


def _shown(entry: EntryVersion) -> EntryResponse:
    facts = entry.facts
    return EntryResponse(
        entry.key,
        entry.version,
        facts.size,
        facts.content_type,
        facts.encoding,
        facts.created_at,
    )
