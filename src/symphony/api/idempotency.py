"""The header Idempotency-Key: creations that a client can send again without fear."""

import re
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Header, Response

from symphony.api.conditions import set_etag
from symphony.api.problems.catalogue import ApiError
from symphony.api.problems.validation_errors import InvalidPart
from symphony.api.request import ApiRequest
from symphony.application.app import Application, CreationResult
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
            description="Sent again within 24 hours with the same body, the first answer comes"
            " again and nothing is made. 1 to 255 visible ASCII characters.",
        ),
    ] = None,
) -> IdempotencyKey | None:
    """The key under which a request is to be run once."""
    if key is None:
        return None
    if not _VISIBLE_ASCII.fullmatch(key) or len(request.headers.getlist(_NAME)) > 1:
        part = InvalidPart("not-a-key", "1 to 255 visible ASCII characters.", parameter=_NAME)
        raise ApiError("validation-error", errors=[part])
    asked = request.scope["path"].encode() + b"\0" + request.content
    return IdempotencyKey(request.state.caller.user_id, key, request.app.state.fingerprint(asked))


async def slowed(key: IdempotencyKey, request: ApiRequest, app: Application) -> IdempotencyKey:
    """For a body with a passphrase: its fingerprint must not let anybody guess quicker than the
    vault does, so it comes from Argon2."""
    asked = compact([str(key.user_id), request.scope["path"], key.key]).encode()
    derivation = app.passphrases.derivation(request.app.state.fingerprint(asked)[:SALT_BYTES])
    slow = await app.passphrases.key(request.content, derivation)
    return replace(key, fingerprint=request.app.state.fingerprint(slow))


Key = Annotated[IdempotencyKey | None, Depends(idempotency_key)]


def answer_made(response: Response, collection: str, made: CreationResult[Any]) -> None:
    """The headers of a 201, which are the same when it is said again."""
    set_etag(response, made.result)
    answer_made_at(response, f"{collection}/{made.result.id}", made)


def answer_made_at(response: Response, place: str, made: CreationResult[Any]) -> None:
    """The same for what has an address and no state of its own: several things, in a list."""
    response.headers["Location"] = place
    if made.replayed:
        response.headers["Idempotency-Replayed"] = "true"
