"""What routes ask for: the application, and the caller whom `routing` has identified."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from symphony.application.app import Application
from symphony.application.authentication import Caller


async def application(request: Request) -> Application:
    return request.app.state.application


async def caller(request: Request) -> Caller:
    return request.state.caller


App = Annotated[Application, Depends(application)]
Actor = Annotated[Caller, Depends(caller)]
