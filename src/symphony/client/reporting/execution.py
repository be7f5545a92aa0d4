"""The execution of `symphony report`: once, again and again, or only as a preview."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from symphony.client import credentials, output, signing_in
from symphony.client.connection import Connection, checked_url
from symphony.client.errors import ClientError, WrongArgument
from symphony.client.reporting import stopping
from symphony.client.reporting.reporter import Outcome, Reporter
from symphony.client.reporting.state import StateDirectory
from symphony.console.usage import Given
from symphony.domain import fields
from symphony.domain.errors import RuleBroken

TERMINATED = 143  # 128 and the number of SIGTERM: nothing may have been reported
_NOT_SIGNED_IN = "no-server"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command; `minutes` is None for a single report."""

    roots: Sequence[Path]
    machine: str | None
    token: str | None = field(repr=False)
    url: str | None
    minutes: int | None
    is_dry_run: bool
    fetch_state: bool
    as_json: bool


def execute(options: Options) -> None:
    """Raises: ClientError, Interrupted, StreamFailed."""
    options = replace(options, machine=_checked_name(options.machine))
    if options.is_dry_run:
        _preview(options)
        return
    with _connection(options) as connection:
        directory = StateDirectory(connection.url)
        reporter = Reporter(options.roots, directory, fetch_state=options.fetch_state)
        with directory.locked():
            if options.minutes is None:
                with output.progress("Reporting the repositories"):
                    work = reporter.report(connection, options.machine)
                    outcome = stopping.run(work, terminated=TERMINATED)
                _print_outcome(outcome, as_json=options.as_json)
                return
            rounds = reporter.rounds(
                connection,
                options.machine,
                options.minutes,
                succeeded=lambda each: _print_outcome(each, as_json=options.as_json),
                failed=_print_failure,
            )
            stopping.run(rounds, terminated=0)


def _checked_name(machine: str | None) -> str | None:
    """Return a name as the server would store it. Raises: WrongArgument."""
    try:
        return None if machine is None else fields.name(machine)
    except RuleBroken as broken:
        raise WrongArgument(Given("--machine", machine).refused(broken.detail)) from None


def _connection(options: Options) -> Connection:
    """Raises: ClientError."""
    if options.token is None:
        return Connection.open(credentials.load())
    url = options.url if options.url is not None else credentials.load().url
    return Connection(url, signing_in.given_token(options.token))


def _preview(options: Options) -> None:
    profile = credentials.find()
    stored = _NOT_SIGNED_IN if profile is None else profile.url
    url = stored if options.url is None else checked_url(options.url)
    reporter = Reporter(options.roots, StateDirectory(url), fetch_state=options.fetch_state)
    with output.progress("Inspecting the repositories"):
        document = stopping.run(reporter.preview(), terminated=TERMINATED)
    for note in document.notes:
        output.print_note(note)
    if options.as_json:
        _print_json(document.content)
    else:
        output.print_json(document.content)


def _print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Raises: StreamFailed."""
    accepted, machine = outcome.accepted, outcome.machine
    for note in accepted.notes:
        output.print_note(note)
    if as_json:
        result = {
            "machine": {"id": machine.id, "name": machine.name},
            "sequence": accepted.sequence,
            "checkouts": outcome.checkouts,
            "matched": accepted.matched,
            "unmatched": accepted.unmatched,
            "seconds": round(outcome.seconds, 3),
            "notes": list(accepted.notes),
        }
        _print_json(result)
        return
    created = ", a new machine," if machine.is_new else ""
    output.print_line(
        f"Reported {_counted(outcome.checkouts)} of {machine.name}{created}"
        f" in {outcome.seconds:.1f} s{_matching(outcome)}."
    )


def _counted(checkouts: int) -> str:
    return "1 checkout" if checkouts == 1 else f"{checkouts:,} checkouts"


def _matching(outcome: Outcome) -> str:
    unmatched = outcome.accepted.unmatched
    if not unmatched:
        return ""
    verb = "belongs" if unmatched == 1 else "belong"
    return f"; {unmatched:,} {verb} to no repo"


def _print_failure(error: ClientError) -> None:
    output.print_note(f"symphony: {error}")


def _print_json(value: Mapping[str, Any]) -> None:
    """Print a document in one line. Raises: StreamFailed."""
    typer.echo(json.dumps(value).replace("\x7f", "\\u007f"))
