"""The steps before the service starts: its directory, its keys, and its database's schema."""

import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from symphony.config.settings import PREFIX, Settings, SettingsError
from symphony.domain.git.status import GitConfinement
from symphony.domain.vaults.keys import MasterKeyMissing, MasterKeys
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.checks.explanations import explained_errors
from symphony.infrastructure.database.checks.sqlite_file import (
    CHECKED_AT_START,
    require_undamaged,
    require_writable,
)
from symphony.infrastructure.database.engine import (
    DEFAULT_LIMITS,
    DatabaseUrlError,
    Engines,
    create_engines,
)
from symphony.infrastructure.database.postgresql.address import PostgresqlAddress
from symphony.infrastructure.database.postgresql.url import SCHEMES
from symphony.infrastructure.database.replicas.routing import limits_of_heartbeat, parse_replica_url
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from symphony.infrastructure.derived_keys import KEY_BYTES, new_key
from symphony.infrastructure.file_ownership import (
    UnsafeFile,
    create_directory,
    make_private,
    require_own_directory,
    require_own_file,
    require_own_lock,
    resolve_own_link,
)
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.confinement.root_owners import others_who_may_write
from symphony.infrastructure.git.files.user_config import UserConfigUnusable, read_user_config
from symphony.infrastructure.secret_files import load_or_create
from symphony.infrastructure.vaults.master_keys import (
    FileMasterKeys,
    FixedMasterKeys,
    NotMasterKeys,
    load_or_create_master_keys,
    parse_master_keys,
)

_BESIDE_THE_DATABASE = ("", "-wal", "-shm", "-journal")
_LOCKS = (".migration-lock", ".master-key.lock")


class StartRefused(Exception):
    """The service cannot start; the message is one line with the reason and the remedy."""


def engines_for(settings: Settings) -> Engines:
    """Create the engines for the configured database, and the file of an embedded one.

    No other user can have changed or planted that file, what is beside it, or the mirrors.

    Raises: SettingsError, StartRefused.
    """
    try:
        engines = create_engines(settings.store, is_pooled=_is_pooled(settings))
    except DatabaseUrlError as error:
        name = "DEMO_DATABASE_URL" if settings.demo_mode else "DATABASE_URL"
        raise SettingsError(f"{PREFIX}{name}: {error}") from None
    with _refusals(settings):
        if engines.file is not None:
            _prepare_file(engines.file)
        mirrors = mirrors_for(settings, engines)
        if mirrors is not None:
            _require_mirrors(mirrors)
    return engines


def _is_pooled(settings: Settings) -> bool:
    """Return whether a pooler is in front of PostgreSQL. Raises: SettingsError."""
    if settings.database_pooler == "none":
        return False
    is_postgresql = str(settings.store).startswith(SCHEMES)
    if not is_postgresql and not settings.demo_mode:
        raise SettingsError(
            f"{PREFIX}DATABASE_POOLER: 'transaction' is possible only with PostgreSQL, whose URL is"
            f" in {PREFIX}DATABASE_URL; must be 'none'."
        )
    return is_postgresql


def replica_addresses_for(settings: Settings, engines: Engines) -> Sequence[PostgresqlAddress]:
    """Return the addresses of the replicas. Raises: SettingsError."""
    if settings.database_replica_url is None or settings.demo_mode:
        return ()
    name = f"{PREFIX}DATABASE_REPLICA_URL"
    if engines.file is not None or engines.is_in_memory:
        raise SettingsError(
            f"{name}: only a PostgreSQL database has replicas; {PREFIX}DATABASE_URL must be its"
            " primary, postgresql://…."
        )
    try:
        return parse_replica_url(settings.database_replica_url.get_secret_value())
    except DatabaseUrlError as error:
        raise SettingsError(f"{name}: {error}") from None


def heartbeat_engines_for(settings: Settings) -> Engines:
    """Create the engine of the heartbeat, by which replicas are found to be behind."""
    limits = limits_of_heartbeat(DEFAULT_LIMITS)
    return create_engines(settings.store, limits, is_pooled=_is_pooled(settings))


def mirrors_for(settings: Settings, engines: Engines) -> Path | None:
    """Return the directory of the commits that syncs fetch; None without one."""
    has_mirrors = settings.git_roots and not engines.is_in_memory
    return settings.data_dir / "mirrors" if has_mirrors else None


def _require_mirrors(mirrors: Path) -> None:
    """Raises: UnsafeFile, OSError."""
    if mirrors.parent.exists():
        require_own_directory(mirrors.parent)
    if mirrors.exists():
        make_private(mirrors)  # earlier versions created it with the mode of the umask
        for mirror in mirrors.iterdir():
            with suppress(FileNotFoundError):  # removed by another process of the service
                require_own_directory(mirror)


def _prepare_file(file: Path) -> None:
    """Create an embedded database. Raises: UnsafeFile, OSError."""
    create_directory(file.parent)
    require_own_directory(file.parent)
    target = resolve_own_link(file)
    for name in _BESIDE_THE_DATABASE:
        require_own_file(target.with_name(target.name + name))
    for name in _LOCKS:
        require_own_lock(file.with_name(file.name + name))
    # SQLite gives its other files the mode of this one.
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW, 0o600))


def secret_for(settings: Settings, engines: Engines) -> bytes:
    """Load the key that signs tokens and cursors.

    It comes from the settings, or from a file beside an embedded database, which is created; for a
    database in memory it is random. Raises: StartRefused.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    if engines.is_in_memory:
        return new_key()
    if engines.file is None:
        raise StartRefused(
            f"{PREFIX}SECRET_KEY is required with PostgreSQL: at least 32 bytes, the same for all"
            " processes and after every restart."
        )
    file = engines.file.with_name(f"{engines.file.name}.key")
    with _refusals(settings):
        secret = load_or_create(file, new_key)
    if len(secret) < KEY_BYTES:
        raise StartRefused(
            f"{file} must have at least {KEY_BYTES} bytes. Restore it from a backup, or delete it"
            " to get a new key; then all users must sign in again."
        )
    return secret


def master_keys_for(settings: Settings, engines: Engines) -> MasterKeys:
    """Load the keys that wrap the keys of vaults.

    They come from the settings, or from a file beside an embedded database; for a database in
    memory the key is random. With PostgreSQL the list may be empty. Only `prepare` creates the
    file, because it checks whether a file has been lost. Raises: SettingsError.
    """
    if settings.master_key is not None:
        try:
            return FixedMasterKeys(parse_master_keys(settings.master_key.get_secret_value()))
        except NotMasterKeys:
            raise SettingsError(
                f"{PREFIX}MASTER_KEY: must be one or more keys of 32 bytes in base64url, separated"
                " by commas."
            ) from None
    if engines.is_in_memory:
        return FixedMasterKeys([new_key()])
    if engines.file is None:
        return FixedMasterKeys([])
    return FileMasterKeys(_master_key_file(engines.file))


async def prepare(settings: Settings) -> bool:
    """Create the directory, the keys and the schema that the service needs.

    An embedded database is always migrated, PostgreSQL only when the settings allow it. Returns
    whether there will be a user when the service accepts its first request.

    Raises: SettingsError, StartRefused, DatabaseUnusable.
    """
    if settings.git_roots:
        require_temporary_directory("git inspections")
    engines = engines_for(settings)
    try:
        with explained_errors(engines.file):
            return await _prepare(settings, engines)
    finally:
        await engines.dispose()


def require_git_user_config(settings: Settings) -> None:
    """Raises: SettingsError when git's configuration of this user counts and cannot be used."""
    try:
        if settings.git_roots and settings.git_user_config:
            read_user_config()
    except UserConfigUnusable as unusable:
        raise SettingsError(f"{PREFIX}GIT_USER_CONFIG: {unusable}.") from None


def require_temporary_directory(user: str) -> None:
    """Check that there is a temporary directory in which files can be created.

    Raises: StartRefused.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise StartRefused(
            f"There is no temporary directory for {user}. Set TMPDIR to a directory that is"
            " writable."
        ) from None


def git_confinement_for(
    settings: Settings, detect: DetectLandlock = detect_landlock
) -> GitConfinement:
    """Return what keeps inspections inside the git roots.

    Raises: SettingsError when nothing does, and other users may write to a git root.
    """
    if not settings.git_roots:
        return GitConfinement.DISABLED
    if detect() is not None:
        return GitConfinement.LANDLOCK
    if settings.git_trust_roots:
        return GitConfinement.TRUSTED_ROOTS
    for root in settings.git_roots:
        reason = others_who_may_write(root)
        if reason is not None:
            raise SettingsError(
                f"{PREFIX}GIT_ROOTS: {reason}, and this system has no Landlock, which would keep"
                " the service inside it. Remove the access of other users, or set"
                f" {PREFIX}GIT_TRUST_ROOTS=true to trust them with all that the service may read."
            )
    return GitConfinement.OWNER_ONLY


def log_git_confinement(confinement: GitConfinement) -> None:
    """Log a warning when no kernel keeps inspections inside the git roots."""
    promises = {
        GitConfinement.OWNER_ONLY: "only this user and root may write to the git roots",
        GitConfinement.TRUSTED_ROOTS: "those who may write to the git roots are trusted",
    }
    if confinement in promises:
        structlog.get_logger().warning(
            f"no Landlock on this system: {promises[confinement]}", git_confinement=confinement
        )


async def _prepare(settings: Settings, engines: Engines) -> bool:
    if engines.is_in_memory and settings.workers > 1:
        raise SettingsError(
            f"{PREFIX}WORKERS: {settings.workers} is not possible with a database in memory, which"
            " belongs to one process; must be 1."
        )
    replica_addresses_for(settings, engines)
    secret_for(settings, engines)
    master_keys_for(settings, engines)
    if engines.file is not None or settings.auto_migrate:
        await migrations.upgrade(engines)
    elif not engines.is_in_memory:
        await migrations.require_compatible(engines)
    if engines.file is not None:
        await require_writable(engines)
        await require_undamaged(engines, CHECKED_AT_START)
        if settings.master_key is None:
            async with SqlAlchemyStore(engines).reading() as repositories:
                is_needed = await repositories.vault_keys.need_a_master_key()
            _ensure_master_key(settings, _master_key_file(engines.file), is_needed=is_needed)
    if settings.demo_mode or engines.is_in_memory:
        return settings.demo_mode
    async with SqlAlchemyStore(engines).reading() as repositories:
        return await repositories.user_profiles.exist()


def _ensure_master_key(settings: Settings, file: Path, *, is_needed: bool) -> None:
    """Create the master key unless one has been lost.

    With a new key in place of a lost one, some vaults would need the new key, and others the lost
    one. Raises: StartRefused.
    """
    if is_needed and not os.path.lexists(file):
        raise StartRefused(
            f"{file} is missing, and the keys of vaults are encrypted with it. Restore it from a"
            f" backup; or set {PREFIX}MASTER_KEY to a new key, which gives up the contents of these"
            " vaults."
        )
    try:
        with _refusals(settings):
            load_or_create_master_keys(file)
    except MasterKeyMissing:
        raise StartRefused(
            f"{file} contains no master key. Restore it from a backup; without it the contents of"
            " the vaults are lost."
        ) from None


def _master_key_file(database: Path) -> Path:
    return database.with_name(f"{database.name}.master-key")


@contextmanager
def _refusals(settings: Settings) -> Generator[None]:
    """Raise StartRefused in place of the errors of files."""
    try:
        yield
    except UnsafeFile as error:
        raise StartRefused(str(error)) from None
    except OSError as error:
        variable = "DATA_DIR" if isinstance(settings.store, Path) else "DATABASE_URL"
        raise StartRefused(
            f"Cannot write to {error.filename or settings.data_dir}: {error.strerror}. Choose"
            f" another place with {PREFIX}{variable}."
        ) from None
