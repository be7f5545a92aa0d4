"""Dependencies of routes: the application, the caller and the session of a vault."""

from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from symphony.application.app import Application
from symphony.application.callers import Caller


async def application(request: Request) -> Application:
    return request.state.application


async def caller(request: Request) -> Caller:
    return request.state.caller


async def vault_session(
    session: Annotated[
        str | None,
        Header(
            alias="Vault-Session",
            description="The `session` of the unlocked vault; required if it has a passphrase.",
        ),
    ] = None,
) -> str | None:
    return session


VaultSession = Annotated[str | None, Depends(vault_session)]
App = Annotated[Application, Depends(application)]
Actor = Annotated[Caller, Depends(caller)]
