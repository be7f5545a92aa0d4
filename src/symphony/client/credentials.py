"""The stored login: one file that only its user can read."""

import contextlib
import fcntl
import json
import os
import re
import stat
import tempfile
from collections.abc import Generator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from symphony.client.documents import as_object
from symphony.client.errors import ClientError, DamagedLogin, NotSignedIn

_FILE = "credentials.json"
_MAX_SIZE = 1 << 16  # bytes
_OTHERS = 0o077
_TOKEN = re.compile(r"[!-~]{1,1024}")
_URL = re.compile(r"https?://[!-~]{1,2000}")


@dataclass(frozen=True, slots=True)
class Profile:
    """A login: an API token of a user at a server.

    `url` is the address of the server without a slash at its end. `created` says whether
    `symphony login` created the token, so that `symphony logout` may revoke it.
    """

    url: str
    token: str = field(repr=False)
    token_id: str
    user_profile_id: str
    username: str
    created: bool


def config_directory() -> Path:
    """Return the directory of the client's files. Raises: ClientError."""
    return _directory("XDG_CONFIG_HOME", ".config")


def state_directory() -> Path:
    """Return the directory of the client's state, which it can create again.

    Raises: ClientError.
    """
    return _directory("XDG_STATE_HOME", ".local", "state")


def load() -> Profile:
    """Return the stored login. Raises: NotSignedIn when there is none, or it cannot be trusted."""
    profile = _read(config_directory() / _FILE)
    if profile is None:
        raise NotSignedIn("You are not signed in. Use `symphony login`.")
    return profile


def find() -> Profile | None:
    """Return the stored login; None when there is none, or it cannot be used."""
    try:
        return _read(config_directory() / _FILE)
    except ClientError:
        return None


def store(profile: Profile) -> Profile | None:
    """Store a login in place of the former one, which is returned. Raises: ClientError."""
    directory = config_directory()
    try:
        create_private_directory(directory)
        with _locked(directory):
            former = find()
            write_private_file(directory / _FILE, json.dumps(asdict(profile), indent=2) + "\n")
            return former
    except OSError as error:
        raise ClientError(f"Cannot write {directory / _FILE}: {error.strerror}.") from None


def delete() -> None:
    """Delete the stored login, also a damaged one. Raises: ClientError."""
    file = config_directory() / _FILE
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise ClientError(f"Cannot delete {file}: {error.strerror}.") from None


def is_token(value: str) -> bool:
    """Whether a text can be sent as a token."""
    return _TOKEN.fullmatch(value) is not None


def create_private_directory(directory: Path) -> None:
    """Create a directory with mode 0700, unless it exists; parents as usual. Raises: OSError."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)


def write_private_file(file: Path, text: str) -> None:
    """Write a file with mode 0600, at once or not at all. Raises: OSError."""
    target = Path(os.path.realpath(file))  # a symbolic link stays
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _directory(variable: str, *default: str) -> Path:
    given = os.environ.get(variable, "")
    if given.startswith("/"):  # others are to be ignored (XDG Base Directory Specification)
        return Path(given) / "symphony"
    home = os.path.expanduser("~")
    if not home.startswith("/") or os.environ.get("HOME") == "":
        raise ClientError(
            f"There is no home directory for the files of this command: set HOME or {variable}."
        )
    return Path(home).joinpath(*default, "symphony")


@contextlib.contextmanager
def _locked(directory: Path) -> Generator[None]:
    """Let only one process at a time replace the login. Raises: OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> Profile | None:
    """Return the login in a file; None when there is no file. Raises: NotSignedIn."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NotSignedIn(f"Cannot read {file}: {error.strerror}.") from None
    with os.fdopen(descriptor, "rb") as opened:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise NotSignedIn(f"{file} is not a file; remove it and use `symphony login`.")
        if facts.st_uid != os.geteuid():
            raise NotSignedIn(f"{file} is owned by another user; its token is not used.")
        if facts.st_mode & _OTHERS:
            raise NotSignedIn(
                f"{file} has mode {stat.S_IMODE(facts.st_mode):04o}, so other users may have read"
                " its token. Revoke the token, or run `chmod 600` on the file if nobody has."
            )
        content = opened.read(_MAX_SIZE)
    try:
        return _parsed(json.loads(content))
    except (ValueError, RecursionError):
        raise DamagedLogin(f"{file} is damaged. Use `symphony login` to sign in again.") from None


def _parsed(stored: Any) -> Profile:
    """Raises: ValueError."""
    members = as_object(stored) or {}
    given: dict[str, Any] = {each.name: members.get(each.name) for each in fields(Profile)}
    texts = [value for name, value in given.items() if name != "created"]
    if not all(isinstance(each, str) for each in texts) or not isinstance(given["created"], bool):
        raise ValueError
    profile = Profile(**given)
    if not is_token(profile.token) or not _URL.fullmatch(profile.url):
        raise ValueError
    return profile
