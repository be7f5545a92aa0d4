"""The header Idempotency-Key, which lets a client retry the creation of a resource."""

import re
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Header, Response

from symphony.api.conditions import set_etag
from symphony.api.problems.errors import ValidationFailed
from symphony.api.problems.validation_errors import InvalidField
from symphony.api.request import ApiRequest
from symphony.application.app import Application, CreationResult
from symphony.application.ports import Requester
from symphony.domain.idempotency import IdempotencyKey
from symphony.domain.json_objects import compact
from symphony.domain.vaults.keys import SALT_BYTES

_NAME = "Idempotency-Key"
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


async def idempotency_key(
    request: ApiRequest,
    key: Annotated[
        str | None,
        Header(
            alias=_NAME,
            description="1 to 255 visible ASCII characters. A retry with the same key and body"
            " within 24 hours returns the first response and creates nothing.",
        ),
    ] = None,
) -> IdempotencyKey | None:
    """Return the key under which the request runs once.

    Raises: ValidationFailed.
    """
    if key is None:
        return None
    if not _VISIBLE_ASCII.fullmatch(key) or len(request.headers.getlist(_NAME)) > 1:
        detail = "Must be 1 to 255 visible ASCII characters, given once."
        raise ValidationFailed(InvalidField("not-a-key", detail, parameter=_NAME))
    content = request.scope["path"].encode() + b"\0" + request.content
    return IdempotencyKey(request.state.caller.reach, key, request.app.state.fingerprint(content))


async def with_slow_fingerprint(
    key: IdempotencyKey, request: ApiRequest, app: Application
) -> IdempotencyKey:
    """Return the key with a fingerprint from Argon2, for a body that contains a passphrase.

    With a fast fingerprint, an attacker who reads the database could guess passphrases faster than
    with the vault's own record.
    """
    context = compact([str(key.reach.user_id), request.scope["path"], key.key]).encode()
    derivation = app.passphrases.derivation(request.app.state.fingerprint(context)[:SALT_BYTES])
    requester = Requester.account(key.reach.user_id)
    slow = await app.passphrases.key(request.content, derivation, requester)
    return replace(key, fingerprint=request.app.state.fingerprint(slow))


Key = Annotated[IdempotencyKey | None, Depends(idempotency_key)]


def set_created_headers(response: Response, collection: str, created: CreationResult[Any]) -> None:
    """Set the headers of a 201 for one resource; a replay has the same ones."""
    set_etag(response, created.result)
    set_created_location(response, f"{collection}/{created.result.id}", created)


def set_created_location(response: Response, location: str, created: CreationResult[Any]) -> None:
    """Set the headers of a 201 for several resources, which have no common ETag."""
    response.headers["Location"] = location
    if created.replayed:
        response.headers["Idempotency-Replayed"] = "true"
