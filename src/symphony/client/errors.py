"""Why a command of the client fails; each message is one line with the reason and the remedy."""

from collections.abc import Mapping
from typing import Any

from symphony.client.documents import children, text

REFUSED = 1
USAGE = 2
AT_RISK = 3
UNREACHABLE = 4
_SHOWN_ERRORS = 3
_SHOWN = 1_000  # characters of a text in a message


class ClientError(Exception):
    """A failure with the exit status of the command."""

    status = REFUSED


class WrongArgument(ClientError):
    """An argument or option is not of the form that it must have."""

    status = USAGE


class NotSignedIn(ClientError):
    """There is no stored login, or it cannot be used."""


class DamagedLogin(NotSignedIn):
    """The file of the login does not have its form, so nothing in it can be used."""


class Unreachable(ClientError):
    """The server does not answer: name, connection, certificate or time."""

    status = UNREACHABLE


class UnexpectedAnswer(ClientError):
    """The answer is not one of Symphony, or of a version that this client does not know."""


class ServerProblem(ClientError):
    """The server refused the request (RFC 9457).

    `members` has all members of the problem, `retry_after` the seconds of that header.
    """

    def __init__(
        self, http_status: int, members: Mapping[str, Any], retry_after: int | None = None
    ) -> None:
        self.http_status = http_status
        self.members = members
        self.code = text(members, "code")[:_SHOWN]
        self.detail = (text(members, "detail") or text(members, "title"))[:_SHOWN]
        self.request_id = text(members, "request_id")[:_SHOWN]
        self.retry_after = retry_after
        super().__init__(self._line())

    def _line(self) -> str:
        sentences = [self.detail or f"The server answered {self.http_status}."]
        errors = children(self.members, "errors")
        if len(errors) > 1:  # a single one is the detail
            sentences += [_field_error(each) for each in errors[:_SHOWN_ERRORS]]
        if self.code == "unauthenticated":
            sentences.append("Sign in with `symphony login`.")
        marks = [self.code] if self.code else []
        marks += [f"request {self.request_id}"] if self.request_id else []
        return " ".join(sentences) + (f" ({', '.join(marks)})" if marks else "")


def _field_error(error: Mapping[str, Any]) -> str:
    place = text(error, "pointer") or text(error, "parameter")
    return f"{place}: {text(error, 'detail')}"[:_SHOWN]
