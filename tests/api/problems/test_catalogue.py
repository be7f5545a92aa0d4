"""Every error that can be raised has a problem type."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import symphony
from symphony import application, domain
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.problems.catalogue import PROBLEMS
from symphony.api.problems.errors import ApiError
from tests.support.openapi import operations

SOURCE = Path(symphony.__file__).parent
# The classes that derive their codes from a noun or field, with the pattern of the code.
DERIVED = {
    "NotFound": "{}-not-found",
    "AlreadyExists": "{}-taken",
    "NamesTaken": "{}-taken",
    "LimitReached": "{}-limit-reached",
    "PreconditionFailed": "precondition-failed",
    "InsufficientScope": "insufficient-scope",
    "TokenRefused": "unauthenticated",
    "TokenRevoked": "unauthenticated",
}


def parsed(*packages: str) -> Iterator[ast.Module]:
    for package in packages:
        for module in Path(package).rglob("*.py"):
            yield ast.parse(module.read_text())


def domain_errors(modules: list[ast.Module]) -> dict[str, ast.ClassDef]:
    """All subclasses of DomainError, also indirect ones, by name."""
    classes = [
        node for each in modules for node in ast.walk(each) if isinstance(node, ast.ClassDef)
    ]
    errors: dict[str, ast.ClassDef] = {}
    names = {"DomainError"}
    while found := [
        each
        for each in classes
        if each.name not in errors and names & {getattr(base, "id", "") for base in each.bases}
    ]:
        errors |= {each.name: each for each in found}
        names |= set(errors)
    return errors


def first_literal(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def raised_codes() -> set[str]:
    """The codes of all errors of the domain whose code or noun is a literal."""
    modules = [*parsed(*domain.__path__, *application.__path__)]
    errors = domain_errors(modules)
    codes: set[str] = set()
    for module in modules:
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            name, literal = getattr(call.func, "id", ""), first_literal(call)
            if name in errors and literal is not None:
                codes.add(DERIVED.get(name, "{}").format(literal))
    for name, error in errors.items():
        if name in DERIVED:
            continue
        for call in (node for node in ast.walk(error) if isinstance(node, ast.Call)):
            literal = first_literal(call)
            if getattr(call.func, "attr", "") == "__init__" and literal is not None:
                codes.add(literal)
    return codes


def nouns() -> set[str]:
    """The nouns of all entities of the domain."""
    found: set[str] = set()
    for module in parsed(*domain.__path__):
        for node in ast.walk(module):
            target = getattr(node, "target", None)
            if isinstance(node, ast.AnnAssign) and getattr(target, "id", "") == "noun":
                value = node.value
                found |= {str(value.value)} if isinstance(value, ast.Constant) else set()
    return found


@pytest.mark.long
def test_every_error_of_the_domain_has_a_problem_type() -> None:
    codes = raised_codes()
    assert {"vault-locked", "username-taken", "user-has-workspaces", "no-remote"} <= codes
    assert len(codes) > 20
    assert codes - PROBLEMS.keys() == set()


@pytest.mark.long
def test_every_noun_of_the_domain_has_a_problem_type_for_an_unknown_id() -> None:
    assert {"workspace", "repo", "vault", "user-profile", "api-token"} <= nouns()
    assert {f"{noun}-not-found" for noun in nouns()} - PROBLEMS.keys() == set()


def test_every_id_in_a_path_has_a_problem_type() -> None:
    ids = [
        each
        for found in operations()
        for each in re.findall(r"\{(\w+)_id\}", operations()[found].path)
    ]
    codes = {f"{each.replace('_', '-')}-not-found" for each in ids}
    assert len(codes) >= 5
    assert codes - PROBLEMS.keys() == set()


def test_a_route_that_documents_an_unknown_code_cannot_be_defined() -> None:
    with pytest.raises(LookupError, match=r"'gadget-not-found' has no entry in .*catalogue"):
        problem_responses("vault-not-found", "gadget-not-found")


def test_an_error_with_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(LookupError):
        raise ApiError("gadget-not-found")


def test_titles_and_remedies_are_sentences() -> None:
    for code, kind in PROBLEMS.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert kind.title[0].isupper()
        assert kind.title[-1].isalpha()
        assert kind.remedy.endswith((".", "`.", "`"))
