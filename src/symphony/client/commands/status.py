"""`symphony status` and `symphony path`: one repo, on all machines and on this one."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.command import ExistingRepo, Json, signed_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symphony.client.documents import Document
    from symphony.client.local_repositories import LocalRepository

_CHECKOUTS = ("MACHINE", "BRANCH", "LEFT TO DO", "SINCE", "AT RISK", "OBSERVED", "PATH")
_WORK = ("MACHINE", "KIND", "NAME", "UNPUSHED", "INTEGRATED", "COMMITTED")
_STYLES = {True: "red", None: "yellow", False: ""}


def status(
    path: Annotated[
        str,
        typer.Argument(metavar="PATH", help="A directory in the repository.", show_default=False),
    ] = ".",
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show the repo of the directory PATH (default: this one), its checkouts and its work."""
    from symphony.client.checkouts import checkouts_of, repos_of_directory
    from symphony.client.documents import text
    from symphony.client.errors import ClientError
    from symphony.client.local_repositories import repository_around
    from symphony.client.output import print_json, progress
    from symphony.client.resources import workspaces

    local = repository_around(path)
    connection, profile = signed_in()
    with connection, progress("Asking for the repo"):
        found = repos_of_directory(connection, profile, local)
        if not found:
            raise ClientError(_how_to_register(local))
        names = {text(each, "id"): text(each, "name") for each in workspaces(connection, profile)}
        repos = [
            {
                **each,
                "workspace": names.get(text(each, "workspace_id")),
                "checkouts": checkouts_of(connection, each),
            }
            for each in found
        ]
    if as_json:
        print_json({"path": str(local.path), "repos": repos})
        return
    for each in repos:
        _print(each)


def _how_to_register(local: "LocalRepository") -> str:
    from shlex import quote

    from symphony.domain.discovery import RepoKind

    path = str(local.path)
    command = f"symphony import {quote(str(local.main or path))}"
    if local.main is not None:
        path = f"{local.main}, of which {path} is a linked worktree"
    elif local.kind == RepoKind.SUBMODULE:  # an import leaves it out
        name = quote(local.path.name)
        command = f"symphony repos create {name} --workspace WORKSPACE --path {quote(path)}"
        path = f"the submodule {path}"
    return f"No repo is registered for {path}; `{command}` does it."


def path(
    repo: ExistingRepo,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Print the path of a repo's checkout on this machine, for `cd "$(symphony path engine)"`."""
    from symphony.client.checkouts import paths_here
    from symphony.client.documents import text
    from symphony.client.errors import ClientError
    from symphony.client.output import one_of, print_json
    from symphony.client.resources import find_repo
    from symphony.console.streams import printable

    connection, profile = signed_in()
    with connection:
        found = find_repo(connection, profile, repo)
        paths = paths_here(connection, found)
    name = text(found, "name")
    if not paths:
        raise ClientError(f"{name} has no checkout on this machine.")
    if len(paths) > 1:
        raise ClientError(f"{name} has several checkouts on this machine: {one_of(paths)}.")
    if as_json:
        print_json({"repo_id": text(found, "id"), "path": paths[0]})
    elif sys.stdout.isatty():
        typer.echo(printable(paths[0]))
    else:  # a directory of this machine's disk, so the shell gets its exact name
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(paths[0]) + b"\n")


def _print(repo: "Document") -> None:
    from symphony.client.board_rows import machine_name
    from symphony.client.documents import child, children, moment, text, texts, truth
    from symphony.client.output import Cell, Columns, is_for_people, print_line, print_table
    from symphony.client.words import age, duration, exact, left_to_do, risk
    from symphony.console.tables import timestamp

    since, when = (duration, age) if is_for_people() else (exact, timestamp)
    print_line(f"Repo: {text(repo, 'name')}, in the workspace {text(repo, 'workspace')}")
    print_line(f"Remote: {text(repo, 'remote_url') or 'none'}")
    print_line(f"Path: {text(repo, 'path')}")
    checkouts, work = Columns(_CHECKOUTS), Columns(_WORK)
    for each in children(repo, "checkouts"):
        facts = child(each, "status") or {}
        unpushed = _unpushed(facts)
        names = [text(item, "name") for item in unpushed if text(item, "kind") == "branch"]
        at_risk = truth(each, "at_risk")
        checkouts.add(
            machine_name(each),
            text(each, "branch"),
            left_to_do(texts(each, "reasons"), {**facts, "unpushed_branches": names}) or "nothing",
            since(moment(each, "unfinished_since")),
            Cell(risk(at_risk), _STYLES[at_risk]),
            when(moment(each, "observed_at")),
            text(each, "path"),
        )
        for item in unpushed:
            work.add(
                machine_name(each),
                text(item, "kind"),
                text(item, "name"),
                str(item.get("unpushed_commits") or "unknown"),
                text(item, "integrated"),
                when(moment(item, "committed_at")),
            )
    if not checkouts.rows:
        print_line("Checkouts: none is known; `symphony report` reports those of a machine.")
        return
    print_table(checkouts)
    if work.rows:
        print_table(work)


def _unpushed(status: "Document") -> "Sequence[Document]":
    """Return the branches, detached HEADs and tags with commits that may be nowhere else."""
    from symphony.client.documents import children, number

    return [each for each in children(status, "work") if number(each, "unpushed_commits") != 0]
