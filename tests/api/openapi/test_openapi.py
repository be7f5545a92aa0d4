"""The OpenAPI document is complete, and generators of clients can use it."""

import re
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from symphony.api.problems.catalogue import PROBLEMS
from symphony.infrastructure.database.entity_mapping import EntityMapping
from tests.support.api import API
from tests.support.openapi import PROBLEM, Operation, document, faults, nodes, operations

OPERATIONS = pytest.mark.parametrize("operation", operations().values(), ids=lambda each: each.id)
SCHEMAS: dict[str, dict[str, Any]] = document()["components"]["schemas"]
HEADERS = ("If-Match", "If-None-Match", "Idempotency-Key")


@pytest.mark.long
@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_the_document_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == document()


def test_the_document_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_the_document_has_a_title_a_server_and_described_tags() -> None:
    assert {"title", "summary", "description", "version", "license"} <= set(document()["info"])
    assert [server["url"] for server in document()["servers"]] == ["/"]
    described = [tag["name"] for tag in document()["tags"] if tag["description"]]
    used = {tag for each in operations().values() for tag in each.described["tags"]}
    assert len(described) == len(used)
    assert set(described) == used


@OPERATIONS
def test_an_operation_has_an_id_a_description_and_examples(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation.id)
    assert len(operation.described["tags"]) == 1
    for words in ("summary", "description"):
        assert operation.described[words]
    for parameter in operation.described["parameters"]:
        assert parameter["description"]
        if parameter["name"] == "If-Match":  # which some tools send unless it has an example
            assert parameter.get("example") == (None if operation.method == "PUT" else "*")
        else:
            assert ("example" in parameter) == parameter["required"]
    for media_type in operation.media_types:
        assert operation.described["requestBody"]["content"][media_type]["example"]
    for answer in operation.answers.values():
        assert answer["description"] != "Successful Response"
        for content in answer.get("content", {}).values():
            assert content.get("example") or content.get("examples")


@OPERATIONS
def test_the_errors_of_an_operation_are_problems_with_an_example_each(operation: Operation) -> None:
    answers = {status: answer for status, answer in operation.answers.items() if status >= 400}
    assert operation.codes(500) == {"internal-error"}
    for status, answer in answers.items():
        if (operation.id, status) == ("ready", 503):
            continue  # whose body is the state of the service, not a problem
        ((media_type, content),) = answer["content"].items()
        assert media_type == PROBLEM
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert operation.codes(status)
        for code, example in content["examples"].items():
            shown = example["value"]
            assert (shown["code"], shown["status"]) == (code, status)
            assert PROBLEMS[code].status == status
            assert re.fullmatch(_pattern_of(operation.path), shown["instance"])


PUBLIC = {"live", "ready", "create_user_profile", "create_access_token"}
SECRET = {
    "unlock_vault": [["read", "secrets"], ["write", "secrets"]],
    "update_passphrase": [["write", "secrets"]],
    "put_entry": [["write", "secrets"]],
    "delete_entry": [["write", "secrets"]],
    "restore_entry": [["write", "secrets"]],
    "list_entries": [["read", "secrets"]],
    "get_entry": [["read", "secrets"]],
    "list_entry_versions": [["read", "secrets"]],
}
FOR_REPORTS = {
    "get_machine": [["read"], ["report"]],
    "put_report": [["write"], ["report"]],
    "get_current_api_token": [["read"], ["write"], ["report"]],
}


@OPERATIONS
def test_an_operation_documents_its_scopes(operation: Operation) -> None:
    by_method = [["read"] if operation.method == "GET" else ["write"]]
    sets = [] if operation.id in PUBLIC else (SECRET | FOR_REPORTS).get(operation.id, by_method)
    expected = [
        {scheme: each}
        for scheme in ("bearer", "password")
        for each in sets
        if scheme == "bearer" or each != ["report"]  # no access token has it
    ]
    assert operation.described["security"] == expected
    assert (401 in operation.answers) == (bool(expected) or operation.id == "create_access_token")
    texts = [" with ".join(f"`{each}`" for each in reversed(scopes)) for scopes in sets]
    assert (" or ".join(texts) in operation.described["description"]) is True


def test_an_operation_says_that_it_is_not_for_confined_tokens() -> None:
    refusing = {
        each.id
        for each in operations().values()
        if "Not for a token that is confined to workspaces." in each.described["description"]
    }
    assert refusing == {
        "get_own_user_profile",
        "get_user_profile",
        "update_user_profile",
        "delete_user_profile",
        "create_workspace",
        "create_api_token",
        "list_api_tokens",
        "create_machine",
        "list_machines",
        "get_machine",
        "update_machine",
        "delete_machine",
        "put_report",
        "list_machine_checkouts",
    }


def test_only_named_schemas_have_properties_or_enums() -> None:
    """Generators would have to invent names for others, except for maps, which languages have."""

    def is_object(node: Any) -> bool:
        values = node.get("additionalProperties")
        is_map = isinstance(values, dict) and cast("Any", values)["type"] == "string"
        return node.get("type") == "object" and not is_map

    named = {f"/components/schemas/{name}" for name in SCHEMAS}
    with_a_form = {
        pointer
        for pointer, node in nodes()
        if pointer.startswith(("/components/", "/paths/"))
        and not pointer.endswith("/properties")
        and (is_object(node) or {"properties", "enum", "allOf", "oneOf"} & set(node))
    }
    assert len(with_a_form) == len(SCHEMAS)
    assert with_a_form == named
    choices = [node["anyOf"] for _, node in nodes() if "anyOf" in node]
    assert choices.count(SCHEMAS["Problem"]["properties"]["code"]["anyOf"]) == 1
    nullable = [each for each in choices if len(each) == 2 and each[1] == {"type": "null"}]
    assert len(nullable) == len(choices) - 1


def test_the_code_of_a_problem_is_a_known_one_or_a_later_one() -> None:
    assert SCHEMAS["KnownProblemCode"]["enum"] == sorted(PROBLEMS)
    assert SCHEMAS["Problem"]["properties"]["code"]["anyOf"] == [
        {"$ref": "#/components/schemas/KnownProblemCode"},
        {"type": "string"},
    ]


def test_no_schema_has_the_name_that_a_generator_gives_to_another_type_or_function() -> None:
    prefixes = ("New", "Nullable", "InstanceOf")
    derived = {f"{prefix}{name}" for prefix in prefixes for name in SCHEMAS}
    derived |= {
        f"{name}{field.title().replace('_', '')}" for name in SCHEMAS for field in _fields(name)
    }
    assert derived & set(SCHEMAS) == set()


def test_the_members_of_all_enums_have_different_names() -> None:
    """Go and C have one scope for the members of all enums."""
    names = [
        name.upper().replace("-", "_")
        for schema in SCHEMAS.values()
        if "enum" in schema
        for name in schema.get("x-enum-varnames", schema["enum"])
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_a_property_with_a_default_has_it_in_its_description() -> None:
    """Generators of TypeScript clients make a property with `default` required."""
    bodies = [pointer for pointer, node in nodes() if "default" in node and "/schemas/" in pointer]
    assert bodies == []
    assert not [p for p, node in nodes() if "default" in node and "/requestBody/" in p]
    described = SCHEMAS["WorkspaceCreate"]["properties"]["workspace_type"]["description"]
    assert described == "The type of work. By default general."


def _fields(name: str) -> list[str]:
    return list(SCHEMAS[name].get("properties", {}))


def _pattern_of(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^{}]+", path)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_and_each_of_its_fields_is_described(name: str) -> None:
    assert SCHEMAS[name]["description"]
    for field, described in SCHEMAS[name].get("properties", {}).items():
        assert 4 <= len(described.get("description", "")) <= 200, field


def test_every_schema_and_header_is_used() -> None:
    referred = {node["$ref"] for _, node in nodes() if "$ref" in node}
    kinds = ("schemas", "headers")
    existing = {
        f"#/components/{kind}/{name}" for kind in kinds for name in document()["components"][kind]
    }
    assert referred == existing


@pytest.mark.long
def test_every_example_is_valid_against_its_schema() -> None:
    tried = 0
    for pointer, node in nodes():
        if pointer == "/components":
            continue  # its examples are validated where they are referred to
        examples = node.get("examples", [])
        if isinstance(examples, list):  # of a schema
            shown = [(pointer, value) for value in cast("list[Any]", examples)]
        else:
            shown = [(f"{pointer}/schema", each["value"]) for each in examples.values()]
        if "example" in node:
            shown.append((f"{pointer}/schema", node["example"]))
        for place, value in shown:
            assert faults(place, value) == []
            tried += 1
    assert tried > 400


@OPERATIONS
def test_an_invalid_example_would_be_detected(operation: Operation) -> None:
    for status, answer in operation.answers.items():
        for media_type in answer.get("content", {}):
            assert faults(operation.schema_of(status, media_type), {"colour": "blue"})


def test_examples_have_the_formats_of_the_service() -> None:
    ids, times = set[str](), set[str]()
    for _, node in nodes():
        if node.get("schema", {}).get("format") == "uuid" and node["required"]:
            ids.add(node["example"])
        elif node.get("format") == "uuid":
            ids.update(node.get("examples", ()))
        elif node.get("format") == "date-time":
            times.update(node.get("examples", ()))
    assert len(ids) == len(EntityMapping.by_noun)  # each noun has an example of its own
    assert all(UUID(each).version == 7 for each in ids)
    assert times
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", each) for each in times)


def test_a_patch_has_both_media_types() -> None:
    patches = [each for each in operations().values() if each.method == "PATCH"]
    assert len(patches) >= 4
    for operation in patches:
        assert operation.media_types == ("application/merge-patch+json", "application/json")


@pytest.mark.parametrize("header", HEADERS)
def test_the_headers_that_operations_read_are_described(header: str) -> None:
    nouns = {noun.replace("-", "_") for noun in EntityMapping.by_noun} - {"api_token"}
    expected = {
        "If-Match": {f"{verb}_{noun}" for noun in nouns for verb in ("update", "delete")}
        | {"lock_vault", "unlock_vault", "update_passphrase"}
        | {"put_entry", "delete_entry", "restore_entry"},
        "If-None-Match": {f"get_{noun}" for noun in nouns}
        | {"get_own_user_profile", "get_workspace_stats", "get_attention"}
        | {"get_current_api_token"}
        | {"get_entry", "list_entry_versions", "put_entry"},
        "Idempotency-Key": {f"create_{noun}" for noun in nouns - {"user_profile"}}
        | {"import_repos"},
    }
    reading = {
        each.id
        for each in operations().values()
        if header in {parameter["name"] for parameter in each.described["parameters"]}
    }
    assert reading == expected[header]


def test_lists_document_their_pages() -> None:
    paged = 0
    for operation in operations().values():
        parameters = {each["name"]: each for each in operation.described["parameters"]}
        if "cursor" not in parameters:
            continue
        paged += 1
        others = {"prefix"} if operation.id == "list_entries" else {"sort", "q"}
        assert {"limit", "cursor", *others} <= set(parameters)
        assert "null" not in str([each["schema"] for each in parameters.values()])
        assert "Link" in operation.answers[200]["headers"]
        assert "304" not in operation.described["responses"]
        (content,) = operation.answers[200]["content"].values()
        assert {"items", "next_cursor"} == set(content["example"]) - {"damaged"}
    assert paged >= 5
