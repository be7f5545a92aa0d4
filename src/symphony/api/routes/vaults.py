"""Routes of vaults."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.conditions import ExpectedTags, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import (
    WHOLE_NUMBER,
    FolderName,
    Metadata,
    Passphrase,
    Path,
    VaultId,
    WorkspaceId,
    merge_patch,
    optional,
)
from symphony.api.idempotency import Key, answer_made, slowed
from symphony.api.openapi.examples import shown
from symphony.api.pagination import Paged
from symphony.api.problems.catalogue import documented
from symphony.api.request import ApiRequest
from symphony.api.responses import EntityRepresentation, NextCursor
from symphony.api.routing import PREFIX, router
from symphony.application.orchestrations import (
    passphrase_update,
    vault_creation,
    vault_unlocking,
)
from symphony.application.vaults import vaults as use_cases
from symphony.domain.vaults.vaults import Protection

routes = router("vaults")


VaultName = Annotated[FolderName, Field(examples=["keys"])]
VaultPath = Annotated[Path, Field(examples=["~/vaults/keys"])]


class VaultCreate(BaseModel):
    """What a vault is made from."""

    model_config = ConfigDict(extra="forbid")

    name: VaultName
    path: VaultPath
    metadata: Metadata = Field(default_factory=dict[str, Any])
    protection: Annotated[
        Protection,
        Field(
            description="`passphrase`: only whoever knows it gets at the entries.",
            examples=["passphrase"],
        ),
    ] = Protection.NONE
    passphrase: Passphrase = optional()


class VaultUnlock(BaseModel):
    """What opens a vault; all of it is for vaults with a passphrase."""

    model_config = ConfigDict(extra="forbid")

    passphrase: Passphrase = optional()
    ttl_seconds: Annotated[
        int,
        Field(ge=1, le=3600, description="For how long; 900 when not given.", examples=[900]),
        WHOLE_NUMBER,
    ] = optional()


_NOTHING = VaultUnlock()


class PassphraseChange(BaseModel):
    """The present passphrase, and another one."""

    model_config = ConfigDict(extra="forbid")

    old: Passphrase
    new: Annotated[Passphrase, Field(examples=["a mare, a cell and a paper clip"])]


class VaultPatch(BaseModel):
    """A merge patch (RFC 7396): what is given replaces or is merged, and null removes."""

    model_config = merge_patch(path="~/safe/keys", metadata={"owner": "ada"})

    name: VaultName = optional()
    path: VaultPath = optional()
    metadata: Metadata = optional()


@dataclass(slots=True)
class VaultResponse(EntityRepresentation):
    """A vault."""

    id: VaultId
    workspace_id: WorkspaceId
    name: VaultName
    path: VaultPath
    metadata: Metadata
    is_locked: Annotated[
        bool,
        Field(
            description="Whether it is guarded against changes and its entries are out of reach.",
            examples=[True],
        ),
    ]
    protection: Annotated[
        Protection,
        Field(
            description="What its entries are encrypted with: the service's key, or a passphrase.",
            examples=["passphrase"],
        ),
    ]


@dataclass(slots=True)
class UnlockedVaultResponse(VaultResponse):
    """A vault that is open, and what opens its entries if it has a passphrase."""

    session: Annotated[
        str | None,
        Field(
            description="To be sent as `Vault-Session`. It is shown this once; null without a"
            " passphrase.",
            examples=["symv_mV1Jm7yD0cXw3bq9ZkT5uR8sLhPgNfEaYtIoC2WxQ4"],
        ),
    ] = field(repr=False)
    unlocked_until: Annotated[
        datetime | None,
        Field(
            description="When the session ends; null without a passphrase.",
            examples=["2026-11-16T08:45:00.125000Z"],
        ),
    ]


@dataclass(slots=True)
class VaultList:
    """A page of a list of vaults."""

    items: Annotated[list[VaultResponse], Field(description="The vaults of this page.")]
    next_cursor: NextCursor


@routes.post(
    "/workspaces/{workspace_id}/vaults",
    status_code=201,
    summary="Make a vault",
    responses=documented("workspace-not-found", "vault-name-taken", "vault-limit-reached"),
)
async def create_vault(
    workspace_id: WorkspaceId,
    body: VaultCreate,
    key: Key,
    request: ApiRequest,
    response: Response,
    actor: Actor,
    app: App,
) -> VaultResponse:
    """Makes a vault in a workspace: unlocked, or with a passphrase and locked."""
    command = use_cases.CreateVault(
        actor=actor.user_id,
        workspace_id=workspace_id,
        name=body.name,
        path=body.path,
        metadata=body.metadata,
    )
    if body.protection is Protection.PASSPHRASE or "passphrase" in body.model_fields_set:
        command = await vault_creation.protect_vault(
            vault_creation.ProtectVault(command, body.protection, body.passphrase, key), app
        )
        key = key and await slowed(key, request, app)
    made = await app.run_once(use_cases.create_vault, command, key)
    answer_made(response, f"{PREFIX}/vaults", made)
    return VaultResponse.of(made.result)


@routes.get(
    "/workspaces/{workspace_id}/vaults",
    summary="List vaults",
    responses=documented("workspace-not-found"),
)
async def list_vaults(
    workspace_id: WorkspaceId,
    listing: Paged,
    actor: Actor,
    app: App,
    is_locked: Annotated[
        bool | None, Query(description="Only the locked, or only the unlocked.")
    ] = None,
) -> VaultList:
    """The vaults of a workspace, page by page."""
    page = await app.ask(
        use_cases.list_vaults,
        use_cases.ListVaults(actor.user_id, workspace_id, listing.page(is_locked=is_locked)),
    )
    return VaultList(
        items=VaultResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.get("/vaults/{vault_id}", summary="Read a vault", responses=documented("vault-not-found"))
async def get_vault(
    vault_id: VaultId, request: Request, response: Response, actor: Actor, app: App
) -> VaultResponse:
    """One vault, by its id."""
    vault = await app.ask(use_cases.get_vault, use_cases.GetVault(actor.user_id, vault_id))
    answer_if_modified(request, response, vault.tag)
    return VaultResponse.of(vault)


@routes.patch(
    "/vaults/{vault_id}",
    summary="Change a vault",
    responses=documented("vault-not-found", "vault-name-taken", "vault-locked"),
)
async def update_vault(
    vault_id: VaultId,
    body: VaultPatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> VaultResponse:
    """Changes what is given, unless the vault is locked; members of `metadata` are merged."""
    vault = await app.run(
        use_cases.update_vault,
        use_cases.UpdateVault(
            actor=actor.user_id,
            vault_id=vault_id,
            changes=body.model_dump(exclude_unset=True),  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
            expected_tags=expected,
        ),
    )
    set_etag(response, vault)
    return VaultResponse.of(vault)


@routes.delete(
    "/vaults/{vault_id}",
    status_code=204,
    summary="Delete a vault",
    responses=documented("vault-not-found", "vault-locked"),
)
async def delete_vault(
    vault_id: VaultId,
    expected: ExpectedTags,
    actor: Actor,
    app: App,
    force: Annotated[  # noqa: FBT002 - a query parameter
        bool, Query(description="Delete it though it is locked.")
    ] = False,
) -> None:
    """Deletes it with all its entries and their versions, for good. The folder at `path` is not
    touched.
    """
    await app.run(
        use_cases.delete_vault, use_cases.DeleteVault(actor.user_id, vault_id, force, expected)
    )


@routes.post(
    "/vaults/{vault_id}/lock",
    summary="Lock a vault",
    responses=documented("vault-not-found") | shown(is_locked=True, version=2),
)
async def lock_vault(
    vault_id: VaultId, expected: ExpectedTags, response: Response, actor: Actor, app: App
) -> VaultResponse:
    """Locks it and ends every session; a second time changes nothing."""
    vault = await app.run(
        use_cases.lock_vault, use_cases.LockVault(actor.user_id, vault_id, expected)
    )
    set_etag(response, vault)
    return VaultResponse.of(vault)


@routes.post(
    "/vaults/{vault_id}/unlock",
    summary="Unlock a vault",
    responses=documented(
        "vault-not-found", "vault-damaged", "wrong-passphrase", "too-many-attempts"
    )
    | shown(is_locked=False, version=3),
)
async def unlock_vault(
    vault_id: VaultId,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
    body: VaultUnlock = _NOTHING,
) -> UnlockedVaultResponse:
    """Unlocks it. One with a passphrase opens for the `session` in the answer together with the
    token of this request, and locks itself when the time is up. For one without, a second time
    changes nothing, and no body is needed.
    """
    opened = await vault_unlocking.open_vault(
        vault_unlocking.OpenVault(actor, vault_id, body.passphrase, body.ttl_seconds, expected), app
    )
    set_etag(response, opened.vault)
    response.headers["Cache-Control"] = "no-store"
    return UnlockedVaultResponse(
        **asdict(VaultResponse.of(opened.vault)),
        session=opened.session,
        unlocked_until=opened.unlocked_until,
    )


@routes.put(
    "/vaults/{vault_id}/passphrase",
    status_code=204,
    summary="Change a vault's passphrase",
    responses=documented(
        "vault-not-found",
        "vault-damaged",
        "vault-without-passphrase",
        "wrong-passphrase",
        "too-many-attempts",
    ),
)
async def update_passphrase(
    vault_id: VaultId, body: PassphraseChange, expected: ExpectedTags, actor: Actor, app: App
) -> None:
    """Gives it another passphrase, locked or not, and locks it: every session ends."""
    await passphrase_update.update_passphrase(
        passphrase_update.UpdatePassphrase(actor.user_id, vault_id, body.old, body.new, expected),
        app,
    )
