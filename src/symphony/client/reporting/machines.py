"""The machine for which a reporter reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from symphony.client.connection import Connection
from symphony.client.documents import as_object, as_objects
from symphony.client.errors import ClientError, ServerProblem, UnexpectedAnswer
from symphony.client.this_machine import host_name
from symphony.domain.fields import comparison_key

_REPORT_ONLY = ["report"]
_PAGE = "200"


@dataclass(frozen=True, slots=True)
class ReportedMachine:
    id: str
    name: str
    is_new: bool = False


def find_or_create_machine(
    connection: Connection, name: str | None, known: str | None = None
) -> ReportedMachine:
    """Return the machine of a `report` token, otherwise the one with the name, created if needed.

    Without a name it is the one whose id is known, or else has the name of the host.
    Raises: ClientError.
    """
    token = _current_token(connection)
    if token.get("scopes") == _REPORT_ONLY:
        machine = as_object(connection.request("GET", f"/machines/{token.get('machine_id')}"))
        own = _machine(machine)
        if name is not None and comparison_key(name) != comparison_key(own.name):
            raise ClientError(f"The token can report for the machine {own.name} only, not {name}.")
        return own
    if name is None and known is not None and (found := _machine_with_id(connection, known)):
        return found
    name = host_name() if name is None else name
    key = comparison_key(name)
    for machine in _machines(connection, name):
        if comparison_key(str(machine.get("name"))) == key:
            return _machine(machine)
    created = connection.request("POST", "/machines", json={"name": name})
    return _machine(as_object(created), is_new=True)


def _machine_with_id(connection: Connection, machine_id: str) -> ReportedMachine | None:
    try:
        return _machine(as_object(connection.request("GET", f"/machines/{quote(machine_id)}")))
    except ServerProblem as problem:
        if problem.code == "machine-not-found":  # it was deleted
            return None
        raise


def _current_token(connection: Connection) -> Mapping[str, Any]:
    try:
        return as_object(connection.request("GET", "/api-tokens/current")) or {}
    except ServerProblem as problem:
        if problem.http_status == 404:  # an access token, which has no scope `report`
            return {}
        raise


def _machines(connection: Connection, name: str) -> Sequence[Mapping[str, Any]]:
    """Return the machines whose names contain the name."""
    query = {"limit": _PAGE, "q": name}  # a user has at most 50
    answer = as_object(connection.request("GET", "/machines", query=query)) or {}
    return as_objects(answer.get("items"))


def _machine(answer: Mapping[str, Any] | None, *, is_new: bool = False) -> ReportedMachine:
    members = answer or {}
    machine_id, name = members.get("id"), members.get("name")
    if not isinstance(machine_id, str) or not isinstance(name, str):
        raise UnexpectedAnswer("The server's answer is not a machine.")
    return ReportedMachine(machine_id, name, is_new)
