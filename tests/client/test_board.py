"""The board in the terminal: rows for people, JSON for programs, a status for shell prompts."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony.client.board_rows import board_rows, is_at_risk
from symphony.client.credentials import Profile, config_directory, store
from symphony.client.words import age, duration, exact, left_to_do
from tests.cli.conftest import refusal
from tests.client.conftest import Client, User
from tests.client.raw_server import RawServer, http_answer, raw_server
from tests.client.terminal import in_terminal
from tests.support.server import SYMPHONY

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202eevil\n\x7f"
ITEM = {
    "kind": "repo", "id": "1", "name": "engine", "workspace_id": "7", "workspace": "Thesis",
    "reasons": ["dirty", "unpushed"], "observed_at": "2026-11-27T10:00:00Z", "path": "/a/engine",
    "branch": "main", "ahead": 1, "behind": 0, "staged": 1, "modified": 2, "untracked": 0,
    "conflicted": 0, "stashes": 0, "unpushed_commits": 3, "unpushed_branches": ["main", "fix"],
    "at_risk": True,
}  # fmt: skip
LAPTOP = {"id": "8", "name": "laptop"}


def checkout(machine: Any, path: str, reasons: list[str], at_risk: bool | None) -> dict[str, Any]:  # noqa: FBT001
    return {
        "machine": machine,
        "path": path,
        "branch": "main",
        "reasons": reasons,
        "at_risk": at_risk,
        "observed_at": "2026-11-27T10:00:00Z",
    }


def signed_in_at(server: RawServer, environment: Mapping[str, str]) -> None:
    """Store a login at a server that is not one."""
    profile = Profile(server.url, "sym_x", "1", "2", "ada", created=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", environment["HOME"])
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        assert str(config_directory()).startswith(environment["HOME"])
        store(profile)


def answer(*items: Mapping[str, Any], **members: Any) -> bytes:
    """An answer that is both a list of workspaces and a board."""
    board = {"items": items, "next_cursor": None, "unobserved": 0, "inspection": "enabled"}
    return http_answer(json.dumps({**board, **members}).encode())


def test_the_most_at_risk_comes_first_and_only_what_needs_something_is_shown() -> None:
    finished = {**ITEM, "name": "organ", "at_risk": False, "reasons": ["no-remote"]}
    several = {
        **ITEM,
        "checkouts": [
            checkout(LAPTOP, "/a/engine", ["dirty", "unpushed"], at_risk=True),
            checkout({"id": "9", "name": "desktop"}, "/b", ["behind"], at_risk=False),
            checkout({"id": "9", "name": "desktop"}, "/c", [], at_risk=False),
            checkout({"id": "5", "name": "lost"}, "/d", ["unseen"], at_risk=None),
            checkout({"id": "6", "name": "tidy"}, "/e", [], at_risk=False),
        ],
    }
    rows = board_rows({"items": [finished, several]})
    assert [(each.machine, each.left_to_do) for each in rows] == [
        ("laptop", "commit changes (1 staged, 2 modified), push 3 commits of main, fix"),
        ("lost", "no report for 7 days"),
        ("(server)", "add a remote"),
        ("desktop: /b", "pull"),
    ]


def test_the_counts_of_an_item_are_those_of_one_checkout() -> None:
    item = {
        **ITEM,
        "checkouts": [
            checkout(None, "/a/engine", ["dirty"], at_risk=True),
            checkout(LAPTOP, "/a/engine", ["dirty"], at_risk=True),
        ],
    }
    words = [each.left_to_do for each in board_rows({"items": [item]})]
    assert words == ["commit changes (1 staged, 2 modified)", "commit changes"]


def test_counts_are_those_of_the_checkout_most_at_risk_when_machines_have_the_same_path() -> None:
    desktop = {"id": "9", "name": "desktop"}
    item = {
        **ITEM,
        "checkouts": [
            checkout(desktop, "/a/engine", ["dirty"], at_risk=True),
            checkout(LAPTOP, "/a/engine", ["dirty", "unpushed"], at_risk=True),
        ],
    }
    rows = board_rows({"items": [item]})
    assert [(each.machine, each.left_to_do) for each in rows] == [
        ("desktop", "commit changes"),
        ("laptop", "commit changes (1 staged, 2 modified), push 3 commits of main, fix"),
    ]


@pytest.mark.long
def test_a_narrow_terminal_shows_each_cell_on_a_line(symphony: Client) -> None:
    program = [str(SYMPHONY), "board"]
    with raw_server(answer(ITEM)) as server:
        signed_in_at(server, symphony.environment)
        narrow = in_terminal(program, symphony.environment, columns=30)
        narrowest = in_terminal(program, symphony.environment, columns=10)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", narrow.text).splitlines()
    assert "NAME: engine" in lines
    assert max(map(len, lines)) <= 30
    assert "engine" in narrowest.text


@pytest.mark.parametrize(
    ("reasons", "facts", "words"),
    [
        (["behind", "diverged"], {"ahead": 1, "behind": 2}, "merge or rebase (1 ahead, 2 behind)"),
        (["behind"], {"behind": 1}, "pull 1 commit"),
        (["stashed"], {"stashes": 2}, "use or drop 2 stashes"),
        (["unlocked"], {}, "lock the vault"),
        (["of-tomorrow", "dirty"], {"modified": "?"}, "of-tomorrow, commit changes"),
        (["unpushed"], {"unpushed_branches": list("abcd")}, "push commits of a, b, c, …"),
    ],
)
def test_reasons_are_words_for_people(
    reasons: list[str], facts: dict[str, object], words: str
) -> None:
    assert left_to_do(reasons, facts) == words


def test_what_was_never_observed_counts_as_unknown() -> None:
    finished = {**ITEM, "at_risk": False}
    assert not is_at_risk({"items": [finished], "unobserved": 0})
    assert is_at_risk({"items": [finished], "unobserved": 1})
    assert is_at_risk({"items": [{**ITEM, "at_risk": None}]})


def test_times_are_ages_for_people() -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    ages = [age(now - timedelta(seconds=each), now) for each in (-5, 59, 60, 7200, 86_400 * 30)]
    assert ages == ["now", "now", "1 minute ago", "2 hours ago", "30 days ago"]
    assert age(None) == ""
    lasts = [duration(now - timedelta(seconds=each), now) for each in (-5, 59, 60, 86_400 * 3)]
    assert lasts == ["now", "now", "1 minute", "3 days"]
    assert (duration(None), exact(None)) == ("", "")
    assert exact(now) == "2026-11-27T00:00Z"


@pytest.mark.long
def test_an_empty_board_says_so_and_is_quiet(signed_in: Client) -> None:
    assert signed_in("board").output == "Nothing needs attention.\n"
    finished = signed_in("board", "--quiet")
    assert (finished.status, finished.output, finished.errors) == (0, "", "")


@pytest.mark.long
def test_the_board_of_a_server_is_filtered_and_has_a_status(
    ada: User, signed_in: Client, git_directory: Path
) -> None:
    thesis, work = ada.workspace("Thesis"), ada.workspace("Work")
    directory = git_directory / ada.username
    subprocess.run(["git", "init", "-q", str(directory)], check=True)  # noqa: S603, S607
    (directory / "new").touch()
    ada.repo(thesis, "engine", str(directory))
    ada.repo(work, "gone", str(git_directory / "gone"))
    assert signed_in("board", "--quiet").status == 3  # never observed
    lines = signed_in("board").output.splitlines()
    assert lines[0].split() == [
        "WORKSPACE",
        "NAME",
        "MACHINE",
        "BRANCH",
        "LEFT",
        "TO",
        "DO",
        "SINCE",
        "OBSERVED",
    ]
    assert "Thesis     engine  (server)" in lines[1]
    assert "commit changes (1 untracked), add a remote" in lines[1]
    assert "nothing exists at the path" in lines[2]
    assert signed_in("board", "--quiet").status == 3
    assert "engine" not in signed_in("board", "--workspace", "WORK").output
    assert signed_in("board", "--reason", "unpushed").output == "Nothing needs attention.\n"
    assert "engine" in signed_in("board", "--at-risk", "--reason", "dirty").output
    document = json.loads(signed_in("board", "--json").output)
    assert {"items", "observed_at", "unobserved", "inspection"} <= document.keys()
    assert [(each["workspace"], each["name"]) for each in document["items"]] == [
        ("Thesis", "engine"),
        ("Work", "gone"),
    ]
    finished = signed_in("board", "--reason", "nonsense")
    assert finished.status == 1
    assert "(validation-error, request " in refusal(finished)
    assert refusal(signed_in("board", "--workspace", "nope")).startswith(
        "No workspace is called 'nope'"
    )


def test_watching_cannot_be_combined(symphony: Client) -> None:
    for option in ("--json", "--quiet"):
        finished = symphony("board", "--watch", option)
        assert finished.status == 2
        assert refusal(finished) == "--watch cannot be combined with --json or --quiet."


@pytest.mark.long
def test_nothing_of_a_server_is_printed_raw(symphony: Client) -> None:
    hostile: dict[str, Any] = dict.fromkeys(ITEM, HOSTILE)
    hostile |= {
        "reasons": [HOSTILE],
        "checkouts": [checkout({"name": HOSTILE}, HOSTILE, [HOSTILE], at_risk=True)],
    }
    with raw_server(answer(hostile, id=HOSTILE)) as server:
        signed_in_at(server, symphony.environment)
        for arguments in (
            ("board",),
            ("board", "--json"),
            ("repos", "list"),
            ("workspaces", "list"),
            ("machines", "list"),
        ):
            printed = symphony(*arguments)
            assert printed.status == 0
            assert printed.output.replace("\n", "").isprintable()
        shown = in_terminal([str(SYMPHONY), "board"], symphony.environment)
    assert shown.status == 0
    assert not any(each in shown.text for each in ("\x1b]", "\x07", "\x9b", "\u202e", "\x7f"))


def test_a_problem_with_escape_sequences_is_one_line(symphony: Client) -> None:
    problem = json.dumps({"code": HOSTILE, "detail": HOSTILE, "request_id": HOSTILE}).encode()
    with raw_server(http_answer(problem, "403 No", "application/problem+json")) as server:
        signed_in_at(server, symphony.environment)
        line = refusal(symphony("board"))
    assert line.isprintable()


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b'{"items": 1}', b'{"items": [1, null, {}], "unobserved": "x"}', b"{}"]
)
def test_a_document_of_another_form_is_no_crash(body: bytes, symphony: Client) -> None:
    with raw_server(http_answer(body)) as server:
        signed_in_at(server, symphony.environment)
        finished = symphony("board")
    assert finished.status in {0, 1}
    assert finished.errors.count("\n") <= 1


@pytest.mark.parametrize(("body", "status"), [(b"<html>", 1), (b"", 4)])
def test_what_is_not_symphony_has_a_status(body: bytes, status: int, symphony: Client) -> None:
    sent = http_answer(body, media_type="text/html") if body else b""
    with raw_server(sent) as server:
        signed_in_at(server, symphony.environment)
        for arguments in (("board", "--quiet"), ("whoami",), ("repos", "list")):
            finished = symphony(*arguments)
            assert finished.status == status
            refusal(finished)


@pytest.mark.long
def test_a_terminal_gets_colors_and_folded_lines_unless_it_wants_none(symphony: Client) -> None:
    program = [str(SYMPHONY), "board"]
    with raw_server(answer({**ITEM, "name": "n" * 90})) as server:
        signed_in_at(server, symphony.environment)
        colored = in_terminal(program, symphony.environment)
        plain = in_terminal(program, {**symphony.environment, "NO_COLOR": "1"}, columns=60)
        piped = symphony.program("board")
    assert "\x1b[31m" in colored.text
    assert "\x1b[3" not in plain.text
    lines = re.sub(r"\x1b\[[0-9;]*m", "", plain.text).splitlines()
    assert max(map(len, lines)) <= 60
    assert "\x1b" not in piped.output
    assert "n" * 90 in piped.output


@pytest.mark.long
def test_an_ascii_locale_is_no_failure(symphony: Client) -> None:
    settings = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with raw_server(answer({**ITEM, "name": "Orgel ü 日本"})) as server:
        signed_in_at(server, symphony.environment)
        finished = symphony.program("board", **settings)
        shown = in_terminal([str(SYMPHONY), "board"], {**symphony.environment, **settings})
    assert finished.status == shown.status == 0
    assert "Orgel" in finished.output
    assert "Orgel" in shown.text


def test_a_reader_that_has_ended_ends_the_command_without_a_message(symphony: Client) -> None:
    with raw_server(answer(ITEM)) as server:
        signed_in_at(server, symphony.environment)
        reader, writer = os.pipe()
        os.close(reader)
        finished = subprocess.run(  # noqa: S603
            [SYMPHONY, "board"],
            env=dict(symphony.environment),
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
        os.close(writer)
    assert (finished.returncode, finished.stderr) == (141, b"")


@pytest.mark.long
def test_watching_shows_the_board_until_ctrl_c(symphony: Client) -> None:
    with raw_server(answer(ITEM)) as server:
        signed_in_at(server, symphony.environment)
        program = [str(SYMPHONY), "board", "--watch"]
        shown = in_terminal(program, symphony.environment, interrupts_at="OBSERVED")
    assert shown.status == 130
    assert "Traceback" not in shown.text


@pytest.mark.long
def test_a_slow_server_does_not_hold_up_a_shell_prompt(symphony: Client) -> None:
    with raw_server(answer(ITEM) * 100, drip=0.05) as server:
        signed_in_at(server, symphony.environment)
        finished = symphony("board", "--quiet")
    assert finished.status == 4
    assert "it did not answer within 5 seconds" in refusal(finished)
