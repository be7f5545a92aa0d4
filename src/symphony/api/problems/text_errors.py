"""Problems in place of the plain texts with which parts of Starlette refuse a request."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symphony.api.problems.errors import ApiError
from symphony.api.problems.rendering import error_response


class ProblemsForTextErrors:
    """An ASGI application that gives the text errors of another one a code, by their status.

    The headers stay, except those that describe the text.
    """

    def __init__(self, app: ASGIApp, codes: Mapping[int, tuple[str, str | None]]) -> None:
        """Set the code and the detail of each status."""
        self._app = app
        self._codes = codes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] in self._codes:
                headers = Headers(raw=message["headers"])
                is_replaced = headers.get("content-type", "").startswith("text/plain")
                if is_replaced:
                    code, detail = self._codes[message["status"]]
                    kept = {k: v for k, v in headers.items() if not k.startswith("content-")}
                    if "content-range" in headers:
                        kept["content-range"] = headers["content-range"]
                    error = ApiError(code, detail, headers=kept)
                    await error_response(Request(scope), error)(scope, receive, send)
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, send_problem)
