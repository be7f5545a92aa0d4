"""The settings: the `SYMPHONY_*` variables, their defaults, and their validation."""

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from symphony.config.service_links import is_service_link

PREFIX = "SYMPHONY_"
MIN_SECRET_BYTES = 32
MAX_HOST_NAME = 253  # characters (RFC 1035, section 2.3.4)
IN_MEMORY = "sqlite://"
_MAPPED_BITS = 96  # before an IPv4 address in an IPv6 address (RFC 4291, section 2.5.5.2)
# RFC 6454, section 7. No wildcard, with which any web site could use a token that it has obtained.
_ORIGIN = re.compile(r"https?://[^/\s,*]+")
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
# RFC 3986, section 3.3, without percent-encoding, which proxies decode before they compare paths.
_PATH_PREFIX = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9\-._~!$&'()*+,;=:@]+)*")


class SettingsError(Exception):
    """A setting is unknown or invalid; one line says which one and what is allowed."""


class Settings(BaseSettings):
    """All settings of one service. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    root_path: str = ""
    log_format: Literal["text", "json"] = "text"
    data_dir: Path = Field(
        default_factory=lambda: _default_data_dir(),  # noqa: PLW0108 - defined below
        validate_default=False,
    )
    database_url: SecretStr | None = None
    database_pooler: Literal["none", "transaction"] = "none"
    database_replica_url: SecretStr | None = None
    auto_migrate: bool = False
    secret_key: SecretStr | None = None
    master_key: SecretStr | None = None
    demo_mode: bool = False
    demo_database_url: str = IN_MEMORY
    git_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    git_allow_private_remotes: bool = False
    git_remote_ports: Annotated[tuple[int, ...], NoDecode] = ()
    git_trust_roots: bool = False
    git_user_config: bool = False
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    registration: Literal["open", "first", "closed"] = Field(
        # Users can read the repositories in the git roots, so strangers must not become users.
        default_factory=lambda settings: "first" if settings.get("git_roots") else "open"
    )
    access_token_ttl: Annotated[int, Field(ge=1, le=86_400)] = 3600
    max_workspaces_per_user: Annotated[int, Field(ge=1)] = 50
    max_repos_per_workspace: Annotated[int, Field(ge=1)] = 100
    max_vaults_per_workspace: Annotated[int, Field(ge=1)] = 20
    max_entry_bytes_per_vault: Annotated[int, Field(ge=1)] = 67_108_864
    max_entry_bytes_per_user: Annotated[int, Field(ge=1)] = 67_108_864
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576

    @field_validator("port", mode="before")
    @classmethod
    def _not_of_kubernetes(cls, value: object) -> object:
        if isinstance(value, str) and is_service_link(f"{PREFIX}PORT", value):
            return cls.model_fields["port"].default
        return value

    @field_validator("host", "data_dir", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        # An empty host would be every address of the machine, and an empty path the working
        # directory.
        if value == "":
            raise ValueError("must not be empty; omit it to use the default")
        return value

    @field_validator("host")
    @classmethod
    def _address_or_name(cls, value: str) -> str:
        try:
            value.encode("idna")  # as the socket does it
        except UnicodeError:
            raise ValueError("must be an address or a host name") from None
        return value

    @field_validator("root_path")
    @classmethod
    def _is_path_prefix(cls, value: str) -> str:
        if not _PATH_PREFIX.fullmatch(value):
            raise ValueError(
                "must be a path such as /symphony, with a slash at the beginning and none at the"
                " end; its segments are letters, digits and -._~!$&'()*+,;=:@, not . or .."
            )
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

    @field_validator("allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        try:
            return tuple(map(_network, _parts(value))) if isinstance(value, str) else value
        except ValueError:
            raise ValueError(
                "must be addresses or networks, separated by commas: 127.0.0.1, 10.0.0.0/8,"
                " fd00::/8; the address of a network has no bits after its prefix"
            ) from None

    @field_validator("git_remote_ports", mode="before")
    @classmethod
    def _ports(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(_PORT.fullmatch(part) and 0 < int(part) < 65536 for part in parts):
            raise ValueError("must be ports from 1 to 65535, separated by commas")
        return tuple(map(int, parts))

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(origin) for origin in value):
            raise ValueError("must be origins such as https://app.example.org, separated by commas")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.lower() for name in value)
        if not all(name == "*" or _is_host(name.removeprefix("*.")) for name in names):
            raise ValueError(
                "must be host names without a port, separated by commas: symphony.example.org,"
                " *.example.org for all names below it, or * for every name; other letters than"
                " ASCII in the form xn--…"
            )
        return tuple(name.removesuffix(".") for name in names)

    @field_validator("git_roots")
    @classmethod
    def _existing_directories(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        try:
            return tuple(map(existing_directory, value))
        except ValueError:
            raise ValueError(f"must be existing directories, separated by {os.pathsep!r}") from None

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

    @model_validator(mode="after")
    def _directory_for_data(self) -> "Settings":
        is_in_memory = self.demo_mode and self.demo_database_url == IN_MEMORY
        has_database = self.demo_mode or self.database_url is not None
        is_used = not is_in_memory and (bool(self.git_roots) or not has_database)
        if is_used and not self.data_dir.is_absolute():
            raise ValueError(
                f"{PREFIX}DATA_DIR: there is no default, because the home directory of this user is"
                " unknown; must be a directory."
            )
        return self

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """The host names for which the service answers, beside addresses and `localhost`."""
        own = self.host.lower().removesuffix(".")
        return self.allowed_hosts or ((own,) if _is_host(own) else ())

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


def _default_data_dir() -> Path:
    """Return a relative path when the home directory is unknown."""
    try:
        return user_data_path("symphony")
    except RuntimeError:
        return Path()


def _is_host(text: str) -> bool:
    """Return whether a text is a host name in ASCII, with or without a final dot, or an address."""
    text = text.removesuffix(".")
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return len(text) <= MAX_HOST_NAME and _HOST_NAME.fullmatch(text) is not None
    return True


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _network(text: str) -> IPv4Network | IPv6Network:
    """Return an address or network; IPv4 in IPv6 becomes IPv4. Raises: ValueError."""
    if "%" in text:
        raise ValueError("a zone belongs to one machine's view of a link")
    network = ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


def existing_directory(path: str | Path) -> Path:
    """Return the absolute path of a directory. Raises: ValueError."""
    try:
        directory = _at_home(Path(path)) if str(path) else None
        exists = directory is not None and directory.is_dir()
    except (OSError, ValueError):  # not allowed to look, a name that is too long, an unknown user
        directory, exists = None, False
    if directory is None or not exists:
        raise ValueError("must be an existing directory")
    return directory


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError("must not start with ~ for an unknown user or home directory") from None
    except FileNotFoundError:
        raise ValueError("must be absolute, because the working directory was deleted") from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(environment):
        is_known = name.upper() in known or is_service_link(name, environment[name])
        if name.upper().startswith(PREFIX) and not is_known:
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
