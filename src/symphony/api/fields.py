"""The types of fields: the domain's rules, each with its description and example, written once.

Answers use them as well: what is shown of something has the form in which it was asked for.
"""

from datetime import UTC, datetime
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
from symphony.domain.json_objects import json_object
from symphony.domain.user_profiles import MAX_PASSWORD, MIN_PASSWORD, password
from symphony.domain.vaults.entries import MAX_KEY, entry_key
from symphony.domain.vaults.vaults import MAX_PASSPHRASE, MIN_PASSPHRASE, passphrase

# What the rules say, as far as a pattern can (ECMA-262, as JSON Schema has it): for clients that
# look before they send. The rules themselves decide.
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


def _text(description: str, example: str, **schema: Any) -> Any:
    return Field(description=description, examples=[example], json_schema_extra=schema)


def _utc_time(value: object) -> datetime:
    try:
        given = datetime.fromisoformat(value) if isinstance(value, str) else None
        if given is not None and given.tzinfo is not None:
            return given.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise RuleBroken("not-a-time", "A time as RFC 3339 has it: 2027-01-31T12:00:00Z.")


def _number(value: object) -> object:
    """JSON has one kind of number: 4.0 is a whole one, and neither "4" nor true is any."""
    if isinstance(value, bool | str):
        raise RuleBroken("integer-expected", "This must be a whole number.")
    return value


WHOLE_NUMBER = BeforeValidator(_number)
"""For each whole number in a body; those in an address are text anyway."""


def _id(noun: str, example: str) -> Any:
    return Field(description=f"The {noun}'s id, a UUIDv7.", examples=[example])


# The database's driver has a UUID of its own, which writes itself sooner than pydantic finds out
# what it is.
_Id = Annotated[
    UUID,
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "uuid"}, mode="serialization"),
]
UserProfileId = Annotated[_Id, _id("user profile", "01a1e37a-37bd-7d3d-8a52-35fb8d912be1")]
WorkspaceId = Annotated[_Id, _id("workspace", "01a1e37b-26ef-731b-8503-ff0b607988c0")]
RepoId = Annotated[_Id, _id("repo", "01a1e37c-1621-701a-aedd-418faada54d9")]
EntryKey = Annotated[
    str,
    AfterValidator(entry_key),
    _text(
        "1 to 512 characters, parted by slashes; no part is empty, `.` or `..`.",
        "clients/acme/db",
        pattern=_ENTRY_KEY_PATTERN,
        minLength=1,
        maxLength=MAX_KEY,
    ),
]
VaultId = Annotated[_Id, _id("vault", "01a1e37d-0553-7ef6-919d-ac6eab7b8b68")]
ApiTokenId = Annotated[_Id, _id("API token", "01a1e37d-f485-7240-8d49-3c1b30b38f8d")]

Username = Annotated[
    str,
    AfterValidator(rules.username),
    _text(
        "3 to 64 ASCII letters, digits and `_`, a letter first; unique without regard to case.",
        "ada",
        pattern=rules.USERNAME_PATTERN,
    ),
]
Email = Annotated[
    str,
    AfterValidator(rules.email),
    _text(
        "One e-mail address; unique.", "ada@example.org", maxLength=rules.MAX_EMAIL, format="email"
    ),
]
Password = Annotated[
    str,
    AfterValidator(password),
    Field(repr=False),
    _text(
        "8 to 1,024 characters of any kind.",
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
        "12 to 1,024 characters of any kind. Nobody can recover it.",
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
        "Unique among its siblings without regard to case; spaces around it are trimmed.",
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
        'Unique among its siblings; a legal folder name: none of `/ \\ < > : " | ? *`.',
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
    Field(description="Free text.", examples=["Notes on the analytical engine."]),
]
Path = Annotated[
    str,
    AfterValidator(rules.path),
    _text(
        "Absolute, or in the home folder.",
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
        description="`https://`, `http://` or `git://` without a user, `ssh://[user@]host/…`, or"
        " `user@host:path`; never with a password.",
        examples=["https://git.example.org/ada/engine.git"],
    ),
]
# An alias with a name, under which the OpenAPI document has it.
JsonObject = TypeAliasType(
    "JsonObject",
    Annotated[
        dict[str, Any],
        AfterValidator(json_object),
        Field(
            description="Any JSON object: at most 64 KiB as compact UTF-8 JSON and 32 levels deep.",
        ),
    ],
)
Metadata = Annotated[
    JsonObject,
    Field(description="Whatever programs want to keep here.", examples=[{"colour": "blue"}]),
]
UtcTime = Annotated[
    datetime,
    BeforeValidator(_utc_time),
    Field(description="RFC 3339, with an offset.", examples=["2027-01-31T12:00:00Z"]),
]


def merge_patch(**example: Any) -> ConfigDict:
    """What the schemas of merge patches (RFC 7396) have in common, and an example of one."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


def optional() -> Any:
    """For a member that may be left out but not be null: unset, it is not looked at."""
    return Field(default_factory=lambda: None)
