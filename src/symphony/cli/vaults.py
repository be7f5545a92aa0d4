"""`symphony vault`: the keys of vaults."""

from typing import TYPE_CHECKING

from symphony.cli.execution import run, with_application
from symphony.console.tables import counted, print_result
from symphony.console.usage import exit_with, group_of_commands

if TYPE_CHECKING:
    from symphony.application.app import Application

group = group_of_commands("Manage the keys of vaults.")


@group.command("rewrap")
def rewrap_vaults() -> None:
    """Rewrap the keys of all vaults with the first master key; exit with status 1 if one fails.

    With an embedded database, a new master key is created first. The service may keep running.
    """

    from symphony.application.orchestrations.rewrap import RewrapAll, RewrapIncomplete, rewrap_all

    async def rewrap(application: "Application") -> int:
        return (await rewrap_all(RewrapAll(), application)).rewrapped

    try:
        rewrapped = run(with_application(rewrap))
    except RewrapIncomplete as incomplete:
        left = incomplete.result
        exit_with(
            f"No master key opens the keys of {counted(len(left.failed), 'vault')}, so all"
            f" master keys were kept: {', '.join(map(str, left.failed))}. The keys of"
            f" {counted(left.rewrapped, 'vault')} were rewrapped."
        )
    print_result(f"Rewrapped the keys of {counted(rewrapped, 'vault')}.")
