"""The settings: the `SYMPHONY_*` variables, their defaults, and their validation."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "SYMPHONY_"
MIN_SECRET_BYTES = 32
IN_MEMORY = "sqlite://"
# RFC 6454, section 7. No wildcard, with which any web site could use a token that it has obtained.
_ORIGIN = re.compile(r"https?://[^/\s,*]+")


class SettingsError(Exception):
    """A setting is unknown or invalid; one line says which one and what is allowed."""


class Settings(BaseSettings):
    """All settings of one service. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    log_format: Literal["text", "json"] = "text"
    data_dir: Path = Field(default_factory=lambda: user_data_path("symphony"))
    database_url: SecretStr | None = None
    auto_migrate: bool = False
    secret_key: SecretStr | None = None
    master_key: SecretStr | None = None
    demo_mode: bool = False
    demo_database_url: str = IN_MEMORY
    git_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    git_allow_private_remotes: bool = False
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    registration: Literal["open", "closed"] = "open"
    access_token_ttl: Annotated[int, Field(ge=1, le=86_400)] = 3600
    max_workspaces_per_user: Annotated[int, Field(ge=1)] = 50
    max_repos_per_workspace: Annotated[int, Field(ge=1)] = 100
    max_vaults_per_workspace: Annotated[int, Field(ge=1)] = 20
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576

    @field_validator("host", "data_dir", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        # An empty host would be every address of the machine, and an empty path the working
        # directory.
        if value == "":
            raise ValueError("must not be empty; unset the variable to use the default")
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return _at_home(value)

    @field_validator("git_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in value.split(os.pathsep) if part)
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(origin) for origin in value):
            raise ValueError("must be origins such as https://app.example.org, separated by commas")
        return value

    @field_validator("git_roots")
    @classmethod
    def _existing_directories(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        try:
            roots = tuple(_at_home(root) for root in value)
        except ValueError:
            roots = None
        if roots is None or not all(root.is_dir() for root in roots):
            raise ValueError(f"must be existing directories, separated by {os.pathsep!r}")
        return roots

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"must have at least {MIN_SECRET_BYTES} bytes")
        return value

    @model_validator(mode="after")
    def _one_process_for_memory(self) -> "Settings":
        if self.demo_mode and self.workers > 1:
            raise ValueError(
                f"{PREFIX}WORKERS: {self.workers} is not possible in demo mode, which runs in one"
                " process; must be 1."
            )
        return self

    @property
    def store(self) -> str | Path:
        """The URL of the database, or the path of its file; a path in a URL would be decoded.

        Demo mode never uses the real database.
        """
        if self.demo_mode:
            return self.demo_database_url
        if self.database_url is None:
            return self.data_dir / "symphony.sqlite3"
        return self.database_url.get_secret_value()


def load_settings(**values: object) -> Settings:
    """Load the settings of the environment; `values` take precedence. Raises: SettingsError."""
    _refuse_unknown(os.environ)
    try:
        return Settings(**values)  # pyright: ignore[reportArgumentType] - checked as it is read
    except ValidationError as error:
        raise SettingsError(_first_line(error)) from None


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError("must not start with ~ and the name of an unknown user") from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingsError(
                f"{name}: unknown setting. The settings are: {', '.join(sorted(known))}."
            )


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    name = str(first["loc"][0])
    value = "" if _is_secret(name) else f"{_as_written(first['input'])!r} is invalid; "
    allowed = message if first["type"] == "value_error" else _allowed(Settings.model_fields[name])
    return f"{PREFIX}{name.upper()}: {value}{allowed}."


def _is_secret(name: str) -> bool:
    """Return whether a setting is, or may contain, a password or a key."""
    types = get_args(Settings.model_fields[name].annotation)
    return name == "demo_database_url" or SecretStr in types


def _as_written(value: object) -> str:
    """Format a value for a variable: a list with separators."""
    if isinstance(value, tuple):
        parts = [*map(str, cast("tuple[object, ...]", value))]
        return (os.pathsep if isinstance(value[0], Path) else ",").join(parts)
    return str(value)


def _allowed(field: FieldInfo) -> str:
    """Describe the allowed values of a setting."""
    if field.annotation is bool:
        return "must be true or false"
    if field.annotation is int:
        low, high = (_limit(field, name) for name in ("ge", "le"))
        limits = f">= {low}" if high is None else f"from {low} to {high}"
        return f"must be an integer {limits}"
    return "must be " + " or ".join(map(repr, get_args(field.annotation)))


def _limit(field: FieldInfo, name: str) -> int | None:
    return next((getattr(each, name) for each in field.metadata if hasattr(each, name)), None)
