"""Why a command of the client fails; each message is one line with the reason and the remedy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symphony.client.documents import children, text
from symphony.console.usage import Given

REFUSED = 1
USAGE = 2
AT_RISK = 3
UNREACHABLE = 4
_SHOWN_ERRORS = 3
_SHOWN = 1_000  # characters of a text in a message
_REMEDY_OF_OPTION = (
    "Check that it is complete, and of this server; otherwise create another one there, or omit the"
    " option."
)


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

    `members` has all members of the problem, `retry_after` the seconds of that header. The message
    names the fields of the API, unless `name_fields` has said what was given for them.
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
        self._given = dict[str, Given]()
        self._token: Given | None = None
        super().__init__(http_status, members)

    def name_fields(self, given_for: Callable[[Sequence[str]], Given | None]) -> None:
        """Name what was given in place of the fields that are invalid; the first name counts.

        `given_for` takes the place of a field, such as ("items", "3", "name").
        """
        for place in map(_place, self._errors):
            given = given_for(place.strip("/").split("/"))
            if given is not None:
                self._given.setdefault(place, given)

    def name_token(self, given: Given) -> None:
        """Name what gave the token, if it is the token that is refused."""
        self._token = given

    @property
    def _errors(self) -> Sequence[Mapping[str, Any]]:
        return children(self.members, "errors")

    def __str__(self) -> str:
        marks = [self.code] if self.code else []
        marks += [f"request {self.request_id}"] if self.request_id else []
        return " ".join(self._sentences()) + (f" ({', '.join(marks)})" if marks else "")

    def _sentences(self) -> Sequence[str]:
        detail = self.detail or f"The server answered {self.http_status}."
        if self.code == "unauthenticated":
            if self._token is None:
                return [detail, "Sign in with `symphony login`."]
            return [self._token.refused(detail), _REMEDY_OF_OPTION]
        if len(self._errors) > 1 or self._given:
            left = len(self._errors) - _SHOWN_ERRORS
            more = [f"{left} more are invalid."] if left > 0 else []
            return [*map(self._field_error, self._errors[:_SHOWN_ERRORS]), *more]
        return [detail]  # which has the only error

    def _field_error(self, error: Mapping[str, Any]) -> str:
        place, detail = _place(error), text(error, "detail")
        return self._given.get(place, Given(place or "The body")).refused(detail)[:_SHOWN]


def numbered(field: str, names: Sequence[str]) -> Callable[[Sequence[str]], Given | None]:
    """Return names for the items of a list, for `name_fields`."""
    by_place = {(field, str(number)): name for number, name in enumerate(names)}

    def given_for(place: Sequence[str]) -> Given | None:
        name = by_place.get((place[0], "".join(place[1:2])))
        return None if name is None else Given(": ".join([name, *place[2:3]]))

    return given_for


def _place(error: Mapping[str, Any]) -> str:
    return text(error, "pointer") or text(error, "parameter")
