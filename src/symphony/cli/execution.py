"""The execution of commands: their settings, their application, and errors as one line."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from symphony.console.usage import USAGE_ERROR, Given, exit_with
from symphony.imports import without_collection

if TYPE_CHECKING:
    from symphony.application.app import Application
    from symphony.config.settings import Settings

ResultT = TypeVar("ResultT")


class Refused(Exception):
    """The command cannot be executed; the message is one line with the reason and the remedy."""


def run(work: Coroutine[Any, Any, ResultT], given: Mapping[str, Given] | None = None) -> ResultT:
    """Run `work`; print an error that the operator can fix as `refusals` does."""
    import asyncio

    with refusals(given):
        return asyncio.run(work)


@contextmanager
def refusals(
    given: Mapping[str, Given] | None = None, options: Mapping[str, str] | None = None
) -> Generator[None]:
    """Print an error in this block, which the operator can fix, as one line; exit with a status.

    `given` has the arguments that are fields of an entity, by field; `options` has the options that
    set a setting, by setting.
    """
    with without_collection():
        from symphony.bootstrap import StartRefused
        from symphony.config.settings import PREFIX, SettingsError
        from symphony.domain.errors import DomainError, Invalid
        from symphony.infrastructure.database.checks.explanations import DatabaseUnusable
        from symphony.infrastructure.database.engine import DatabaseUrlError
    try:
        yield
    except SettingsError as error:
        exit_with(_named_by_option(str(error), options or {}), USAGE_ERROR)
    except DatabaseUrlError as error:
        exit_with(f"{PREFIX}DATABASE_URL: {error}", USAGE_ERROR)
    except Invalid as error:
        names = given or {}
        reasons = (
            names.get(each.field, Given(each.field)).refused(each.detail).removesuffix(".")
            for each in error.errors
        )
        exit_with(f"{'; '.join(reasons)}.", USAGE_ERROR)
    except (StartRefused, DatabaseUnusable, Refused, DomainError) as error:
        exit_with(str(error))


async def with_application(work: Callable[["Application"], Awaitable[ResultT]]) -> ResultT:
    """Do `work` with an application on the configured database, beside a running service.

    Raises: what `refusals` prints.
    """
    with without_collection():
        from symphony.bootstrap import engines_for, master_keys_for, prepare, secret_for
        from symphony.infrastructure.database.checks.explanations import explained_errors
        from symphony.infrastructure.metrics import Metrics
        from symphony.main import running_application
    settings = load_settings()
    await prepare(settings)
    engines = engines_for(settings)
    secret = secret_for(settings, engines)
    master_keys = master_keys_for(settings, engines)
    with explained_errors(engines.file):
        async with running_application(
            settings, engines, secret, master_keys, Metrics()
        ) as application:
            return await work(application)


def load_settings() -> "Settings":
    """Load the settings, and configure the logs by them. Raises: SettingsError."""
    with without_collection():
        from symphony import logs
        from symphony.config import settings
    loaded = settings.load_settings()
    logs.configure(loaded.log_format)
    return loaded


def _named_by_option(line: str, options: Mapping[str, str]) -> str:
    """Name the option in place of the variable when the value came from the option."""
    from symphony.config.settings import PREFIX

    for setting, option in options.items():
        variable = f"{PREFIX}{setting}: "
        if line.startswith(variable):
            return f"{option}: {line.removeprefix(variable)}"
    return line
