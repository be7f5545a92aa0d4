"""Checks of values and responses against the OpenAPI document."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import quote

import httpx
from jsonschema import Draft202012Validator
from openapi_schema_validator import oas31_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from symphony.api.openapi.published import OpenApiDocuments
from symphony.config.settings import Settings
from symphony.main import create_app

PROBLEM = "application/problem+json"
_EXAMPLES = {"example", "examples"}
_ADDRESS = "urn:symphony:openapi"


@cache
def document() -> dict[str, Any]:
    """The document of the service, which does not depend on settings."""
    return create_app(Settings.model_validate({"demo_mode": True})).openapi()


def generated_once(_create: object) -> OpenApiDocuments:
    """In place of `OpenApiDocuments` in `symphony.main`: each generation takes half a second."""
    return OpenApiDocuments(document)


@dataclass(frozen=True)
class Operation:
    """An operation of the document."""

    method: str
    path: str
    pointer: str
    described: dict[str, Any]

    @property
    def id(self) -> str:
        return self.described["operationId"]

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types of the body; empty without a body."""
        return tuple(self.described.get("requestBody", {}).get("content", {}))

    @property
    def example(self) -> Any:
        """The example of the body; None without a body."""
        contents = self.described.get("requestBody", {}).get("content", {}).values()
        return next((content["example"] for content in contents), None)

    @property
    def answers(self) -> dict[int, dict[str, Any]]:
        return {int(status): each for status, each in self.described["responses"].items()}

    @property
    def successes(self) -> set[int]:
        return {status for status in self.answers if status < 300}

    @property
    def needs_token(self) -> bool:
        return self.described["security"] != []

    def schema_of(self, status: int, media_type: str) -> str:
        """The JSON pointer of the schema of a response."""
        return f"{self.pointer}/responses/{status}/content/{_step(media_type)}/schema"

    def codes(self, status: int) -> set[str]:
        """The codes of the problems with a status."""
        return set(self.answers[status].get("content", {}).get(PROBLEM, {}).get("examples", {}))


@cache
def operations() -> dict[str, Operation]:
    """All operations by id."""
    found = [
        Operation(method.upper(), path, f"/paths/{_step(path)}/{method}", described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
    ]
    by_id = {each.id: each for each in found}
    assert len(by_id) == len(found)
    return by_id


def operation_at(method: str, path: str) -> Operation | None:
    """The operation of a request; `me` and `current` are paths of their own, no ids."""
    effective = "GET" if method == "HEAD" else method
    fitting = (
        each
        for each in operations().values()
        if each.method == effective and re.fullmatch(_pattern(each.path), path)
    )
    return next(fitting, None)


def _pattern(path: str) -> str:
    """A regular expression for the paths of an operation; keys of entries contain slashes."""
    return re.sub(r"\{\w+\}", "(?!(?:me|current)$)[^/]+", path.replace("{key}", r"[\s\S]+"))


def nodes(node: Any = None, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All objects of the document with their JSON pointers, except those in examples."""
    whole: Any = document() if node is None else node
    members: Iterable[tuple[str, Any]] = ()
    if isinstance(whole, dict):
        yield pointer, cast("dict[str, Any]", whole)
        members = cast("dict[str, Any]", whole).items()
    elif isinstance(whole, list):
        members = ((str(index), each) for index, each in enumerate(cast("list[Any]", whole)))
    for name, member in members:
        if name not in _EXAMPLES:
            yield from nodes(member, f"{pointer}/{_step(name)}")


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """The object that a `$ref` refers to, or the object itself."""
    while "$ref" in node:
        place: Any = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        node = place
    return node


def faults(pointer: str, value: Any) -> list[str]:
    """The violations of a value against the schema at a pointer of the document."""
    errors = _validator(pointer).iter_errors(value)  # pyright: ignore[reportUnknownMemberType] - its stubs leave a part of its type open
    return [f"{pointer}: {error.message}" for error in errors]


@cache
def _validator(pointer: str) -> Draft202012Validator:
    whole = Resource.from_contents(document(), default_specification=DRAFT202012)
    return Draft202012Validator(
        {"$ref": f"{_ADDRESS}#{pointer}"},
        registry=Registry[Any]().with_resource(_ADDRESS, whole),
        format_checker=oas31_format_checker,
    )


async def check(answer: httpx.Response) -> None:
    """Require that status, body, problem code and headers of a response are documented.

    Responses of paths that are not in the document are skipped.
    """
    await answer.aread()
    request = answer.request
    operation = operation_at(request.method, request.url.path)
    if operation is None:
        return
    is_problem = answer.headers.get("content-type") == PROBLEM
    is_head = request.method == "HEAD"
    code = answer.json()["code"] if is_problem and not is_head else None
    context = f"{operation.id}: {answer.status_code} {code}"
    assert answer.status_code in operation.answers, context
    described = operation.answers[answer.status_code]
    _check_headers(answer, described, context)
    if is_head:
        return
    if "content" not in described:
        assert answer.content == b"", context
        return
    media_type = answer.headers["content-type"]
    assert media_type in described["content"], context
    assert code is None or code in operation.codes(answer.status_code), context
    assert faults(operation.schema_of(answer.status_code, media_type), answer.json()) == []


def _check_headers(answer: httpx.Response, described: dict[str, Any], context: str) -> None:
    headers = {name: resolved(each) for name, each in described["headers"].items()}
    for name, header in headers.items():
        assert name in answer.headers or not header.get("required"), (context, name)
        if header["schema"]["type"] == "integer" and name in answer.headers:
            assert answer.headers[name].isdecimal(), (context, name)
    known = set(document()["components"]["headers"])
    assert {name for name in known - headers.keys() if name in answer.headers} == set(), context


def _step(name: str) -> str:
    """A name as a step of a JSON pointer in a URI fragment (RFC 6901, section 6)."""
    return quote(name.replace("~", "~0").replace("/", "~1"))
