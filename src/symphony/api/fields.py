"""The types of fields in requests: the domain's rules, each with its description, written once."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.json_objects import json_object
from symphony.domain.user_profiles import MAX_PASSWORD, MIN_PASSWORD, password


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
    _text("One e-mail address; unique.", "ada@example.org", maxLength=rules.MAX_EMAIL),
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
Name = Annotated[
    str,
    AfterValidator(rules.name),
    _text(
        "Unique among its siblings without regard to case; spaces around it are trimmed.",
        "Thesis",
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
        minLength=1,
        maxLength=rules.MAX_NAME,
    ),
]
Description = Annotated[
    str,
    AfterValidator(rules.description),
    _text("Free text.", "Notes on the analytical engine.", maxLength=rules.MAX_DESCRIPTION),
]
Path = Annotated[
    str,
    AfterValidator(rules.path),
    _text("Absolute, or in the home folder.", "~/dev/engine", maxLength=rules.MAX_PATH),
]
RemoteUrl = Annotated[
    str,
    AfterValidator(rules.remote_url),
    _text(
        "`https://`, `http://` or `git://` without a user, `ssh://[user@]host/…`, or"
        " `user@host:path`; never with a password.",
        "https://git.example.org/ada/engine.git",
        maxLength=rules.MAX_URL,
    ),
]
JsonObject = Annotated[
    dict[str, Any],
    AfterValidator(json_object),
    Field(
        description="Any JSON object: at most 64 KiB as compact UTF-8 JSON and 32 levels deep.",
        examples=[{"colour": "blue"}],
    ),
]
UtcTime = Annotated[
    datetime,
    BeforeValidator(_utc_time),
    Field(description="RFC 3339, with an offset.", examples=["2027-01-31T12:00:00Z"]),
]


def optional() -> Any:
    """For a member that may be left out but not be null: unset, it is not looked at."""
    return Field(default_factory=lambda: None)
