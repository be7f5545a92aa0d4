"""What must be so before the service starts: its folder, its secret, its database's schema."""

from pathlib import Path

from symphony.config.settings import PREFIX, Settings, SettingsError
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.domain.vaults.keys import MasterKeyMissing, MasterKeys
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import DatabaseUrlError, Engines, create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from symphony.infrastructure.signing_key import KEY_BYTES, load_or_create, new_key
from symphony.infrastructure.vaults.master_keys import (
    FileMasterKeys,
    FixedMasterKeys,
    NotMasterKeys,
    file_master_keys,
    parsed,
)


class StartRefused(Exception):
    """One line that says what is in the way, and what to do about it."""


def engines_for(settings: Settings) -> Engines:
    """Engines for the database of these settings. Raises: SettingsError, StartRefused."""
    try:
        engines = create_engines(settings.store_url)
    except DatabaseUrlError as error:
        name = "DEMO_DATABASE_URL" if settings.demo_mode else "DATABASE_URL"
        raise SettingsError(f"{PREFIX}{name}: {error}") from None
    if engines.file is not None:
        try:
            engines.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            engines.file.touch(mode=0o600, exist_ok=True)  # SQLite's other files take after it
        except OSError as error:
            raise _not_writable(settings, error) from None
    return engines


def secret_for(settings: Settings, engines: Engines) -> bytes:
    """What tokens and cursors are signed with: set, kept beside an embedded database, or random
    for a database that ends with the process. Raises: StartRefused."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    if engines.is_in_memory:
        return new_key()
    if engines.file is None:
        raise StartRefused(
            f"{PREFIX}SECRET_KEY is needed with PostgreSQL: 32 bytes or more, the same for all"
            " processes and after every restart"
        )
    file = engines.file.with_name(f"{engines.file.name}.key")
    try:
        secret = load_or_create(file)
    except OSError as error:
        raise _not_writable(settings, error) from None
    if len(secret) < KEY_BYTES:
        raise StartRefused(f"{file} holds no key; delete it for a new one, which ends all sign-ins")
    return secret


def master_keys_for(settings: Settings, engines: Engines) -> MasterKeys:
    """What the keys of vaults are wrapped by: set, kept beside an embedded database, or random for
    one that ends with the process; with PostgreSQL there may be none.

    The file is made by `prepare` alone, which knows whether one has been lost. Raises:
    SettingsError.
    """
    if settings.master_key is not None:
        try:
            return FixedMasterKeys(parsed(settings.master_key.get_secret_value()))
        except NotMasterKeys:
            raise SettingsError(
                f"{PREFIX}MASTER_KEY: one or more keys of 32 bytes in base64url, separated by"
                " commas"
            ) from None
    if engines.is_in_memory:
        return FixedMasterKeys([new_key()])
    if engines.file is None:
        return FixedMasterKeys([])
    return FileMasterKeys(_master_key_file(engines.file))


async def prepare(settings: Settings) -> None:
    """Makes the folder, the keys and the schema that the service needs, or says what is missing.

    An embedded database is migrated by itself, PostgreSQL only when the settings allow it.

    Raises: SettingsError, StartRefused.
    """
    engines = engines_for(settings)
    try:
        if engines.is_in_memory and settings.workers > 1:
            raise StartRefused(f"{PREFIX}WORKERS: a database in memory has one process, so only 1")
        secret_for(settings, engines)
        master_keys_for(settings, engines)
        if engines.file is not None or settings.auto_migrate:
            await migrations.upgrade(engines)
        elif not engines.is_in_memory:
            reason = await migrations.not_ready_reason(engines)
            if reason is not None:
                raise StartRefused(reason)
        if engines.file is not None and settings.master_key is None:
            async with SqlAlchemyStore(engines).reading() as repositories:
                is_needed = await repositories.vault_keys.need_a_master_key()
            file = _master_key_file(engines.file)
            _load_or_create_master_key(settings, file, is_needed=is_needed)
    except StoreUnavailable:
        raise StartRefused(migrations.UNREACHABLE) from None
    finally:
        await engines.dispose()


def _load_or_create_master_key(settings: Settings, file: Path, *, is_needed: bool) -> None:
    """A new master key in the place of a lost one would soon be needed by some vaults, and the lost
    one still by the others. Raises: StartRefused."""
    if is_needed and not file.exists():
        raise StartRefused(
            f"{file} is gone, and vaults are encrypted under it: bring it back from a backup, or"
            f" set {PREFIX}MASTER_KEY to a new key to go on without what is in them"
        )
    try:
        file_master_keys(file)
    except OSError as error:
        raise _not_writable(settings, error) from None
    except MasterKeyMissing:
        raise StartRefused(
            f"{file} holds no master key; bring it back from a backup, for without it what is in"
            " the vaults is lost"
        ) from None


def _master_key_file(database: Path) -> Path:
    return database.with_name(f"{database.name}.master-key")


def _not_writable(settings: Settings, error: OSError) -> StartRefused:
    return StartRefused(
        f"{settings.data_dir} cannot be written ({error.strerror});"
        f" choose another folder with {PREFIX}DATA_DIR"
    )
