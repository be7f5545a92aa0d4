"""Field types: the rules of the domain, each with its description and example.

Request and response schemas use the same types, so a field has the same description in both.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from typing_extensions import TypeAliasType

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.json_objects import json_object, storable_text
from symphony.domain.passwords.passwords import MAX_PASSWORD, MIN_PASSWORD, password
from symphony.domain.timestamps import parse_timestamp
from symphony.domain.vaults.entries import MAX_KEY, entry_key
from symphony.domain.vaults.vaults import MAX_PASSPHRASE, MIN_PASSPHRASE, passphrase

# The rules as patterns, as far as possible (ECMA-262, as in JSON Schema), for clients that validate
# before they send. The rules of the domain decide.
_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
_NOT_IN_FOLDER_NAMES = rf'{_CONTROLS}/\\<>:"|?*'
_NAME_PATTERN = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"
_FOLDER_NAME_PATTERN = (
    rf"^(?!\s*\.{{1,2}}\s*$)"
    rf"[^{_NOT_IN_FOLDER_NAMES}]*[^\s{_NOT_IN_FOLDER_NAMES}][^{_NOT_IN_FOLDER_NAMES}]*$"
)
_PATH_PATTERN = rf"^(?:/|~/)[^{_CONTROLS}]*$"
_ENTRY_KEY_PATTERN = (
    rf"^(?!\.{{1,2}}(?:/|$))[^/{_CONTROLS}\ufffd]+"
    rf"(?:/(?!\.{{1,2}}(?:/|$))[^/{_CONTROLS}\ufffd]+)*$"
)
_TEXT_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"


INTEGER_EXPECTED = ("integer-expected", "Must be an integer.")


def _text(description: str, example: str, **schema: Any) -> Any:
    return Field(description=description, examples=[example], json_schema_extra=schema)


def _number(value: object) -> object:
    """Refuse strings and booleans, which pydantic would convert. 4.0 is an integer in JSON."""
    if isinstance(value, bool | str):
        raise RuleBroken(*INTEGER_EXPECTED)
    return value


WHOLE_NUMBER = BeforeValidator(_number)
"""For integers in a body; in a path or query every value is text."""


def id_of(noun: str, example: str) -> Any:
    """The description of an id; `Annotated[Id, id_of(...)]` is the type of a noun's ids."""
    return Field(description=f"The id of the {noun}, a UUIDv7.", examples=[example])


# The driver of PostgreSQL returns a UUID class of its own. `str` serializes it faster than pydantic
# does, which first has to determine its type.
Id = Annotated[
    UUID,
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "uuid"}, mode="serialization"),
]
UserProfileId = Annotated[Id, id_of("user profile", "01a1e37a-37bd-7d3d-8a52-35fb8d912be1")]
WORKSPACE_ID = "01a1e37b-26ef-731b-8503-ff0b607988c0"
WorkspaceId = Annotated[Id, id_of("workspace", WORKSPACE_ID)]
NewWorkspaceId = Annotated[
    UUID,
    Field(
        description="The id of a workspace of the same user; another one moves the resource there.",
        examples=[WORKSPACE_ID],
    ),
]
RepoId = Annotated[Id, id_of("repo", "01a1e37c-1621-701a-aedd-418faada54d9")]
EntryKey = Annotated[
    str,
    AfterValidator(entry_key),
    _text(
        "1 to 512 characters: parts separated by slashes, none of them empty, `.` or `..`.",
        "clients/acme/db",
        pattern=_ENTRY_KEY_PATTERN,
        minLength=1,
        maxLength=MAX_KEY,
    ),
]
VaultId = Annotated[Id, id_of("vault", "01a1e37d-0553-7ef6-919d-ac6eab7b8b68")]
ApiTokenId = Annotated[Id, id_of("API token", "01a1e37d-f485-7240-8d49-3c1b30b38f8d")]
MACHINE_ID = "01a1e37f-d0b4-7a02-9f3e-6c1d2b7a4e58"
MachineId = Annotated[Id, id_of("machine", MACHINE_ID)]

Username = Annotated[
    str,
    AfterValidator(rules.username),
    _text(
        "3 to 64 ASCII letters, digits and `_`, the first a letter; unique without regard to case.",
        "ada",
        pattern=rules.USERNAME_PATTERN,
    ),
]
Email = Annotated[
    str,
    AfterValidator(rules.email),
    _text(
        "An e-mail address; unique.", "ada@example.org", maxLength=rules.MAX_EMAIL, format="email"
    ),
]
Password = Annotated[
    str,
    AfterValidator(password),
    Field(repr=False),
    _text(
        "8 to 1,024 characters; not a common password, the user name or the e-mail address.",
        "correct horse battery staple",
        minLength=MIN_PASSWORD,
        maxLength=MAX_PASSWORD,
        format="password",
        writeOnly=True,
    ),
]
Passphrase = Annotated[
    str,
    AfterValidator(passphrase),
    Field(repr=False),
    _text(
        "12 to 1,024 characters. A lost passphrase cannot be recovered.",
        "a horse, a battery and a staple",
        minLength=MIN_PASSPHRASE,
        maxLength=MAX_PASSPHRASE,
        format="password",
        writeOnly=True,
    ),
]
Name = Annotated[
    str,
    AfterValidator(rules.name),
    _text(
        "1 to 255 characters, unique among its siblings without regard to case; trimmed.",
        "Thesis",
        pattern=_NAME_PATTERN,
        minLength=1,
        maxLength=rules.MAX_NAME,
    ),
]
FolderName = Annotated[
    str,
    AfterValidator(rules.folder_name),
    _text(
        'A directory name, unique among its siblings; without `/ \\ < > : " | ? *`.',
        "engine",
        pattern=_FOLDER_NAME_PATTERN,
        minLength=1,
        maxLength=rules.MAX_NAME,
    ),
]
Description = Annotated[
    Annotated[
        str,
        AfterValidator(rules.description),
        Field(json_schema_extra={"pattern": _TEXT_PATTERN, "maxLength": rules.MAX_DESCRIPTION}),
    ]
    | None,
    Field(description="Any text.", examples=["Notes on the analytical engine."]),
]
Path = Annotated[
    str,
    AfterValidator(rules.path),
    _text(
        "An absolute path, or one relative to the home directory (`~/`).",
        "~/dev/engine",
        pattern=_PATH_PATTERN,
        maxLength=rules.MAX_PATH,
    ),
]
RemoteUrl = Annotated[
    Annotated[
        str,
        AfterValidator(rules.remote_url),
        Field(json_schema_extra={"format": "git-remote", "maxLength": rules.MAX_URL}),
    ]
    | None,
    Field(
        description="`https://…`, `http://…` or `git://…` without a user, `ssh://[user@]host/…` or"
        " `user@host:path`; no passwords.",
        examples=["https://git.example.org/ada/engine.git"],
    ),
]


def _normalized_remote(value: str) -> str:
    remote = normalized_remote(storable_text(value))
    if remote is None:
        raise RuleBroken(
            "not-a-remote", "Must be the address of a git remote, such as https://host/path."
        )
    return remote


NormalizedRemote = Annotated[str, AfterValidator(_normalized_remote)]
"""The address of a remote in a query, in the form in which remotes are compared."""
# A named alias becomes a named schema in the OpenAPI document.
JsonObject = TypeAliasType(
    "JsonObject",
    Annotated[
        dict[str, Any],
        AfterValidator(json_object),
        Field(
            description="Any JSON object, of at most 64 KiB as compact UTF-8 JSON and 32 levels.",
        ),
    ],
)
Metadata = Annotated[
    JsonObject,
    Field(
        description="Any JSON object, for use by client programs.", examples=[{"colour": "blue"}]
    ),
]
UtcTime = Annotated[
    datetime,
    BeforeValidator(parse_timestamp),
    Field(description="A time with an offset (RFC 3339).", examples=["2027-01-31T12:00:00Z"]),
]


def merge_patch(**example: Any) -> ConfigDict:
    """Return the configuration of a schema of merge patches (RFC 7396), with an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


def optional() -> Any:
    """Return the default of a member that may be absent but not null; its value is never used."""
    return Field(default_factory=lambda: None)
