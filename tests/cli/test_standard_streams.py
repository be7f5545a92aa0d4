"""A result that cannot be written, or an input that is closed, ends a command with one line."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Symphony
from tests.support.api import PASSWORD
from tests.support.server import SYMPHONY, environment

TOKEN = ("token", "create", "ada", "--name", "laptop", "--scope", "read")
USER = ("user", "create", "ada", "--email", "ada@example.org")
WRITES = ("db check", "db upgrade", "--help", "serve --help", "token create --help")


def command(
    data_dir: Path, redirections: str, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, which opens or closes its streams, and without a terminal."""
    return subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", f'"$0" "$@" {redirections}', str(SYMPHONY), *arguments],
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        start_new_session=True,
    )


def one_line(finished: subprocess.CompletedProcess[str], status: int = 1) -> str:
    assert finished.returncode == status, finished.stderr
    lines = [line for line in finished.stderr.splitlines() if line.strip() not in {"", "Password:"}]
    assert len(lines) == 1, finished.stderr
    return lines[0]


@pytest.mark.long
def test_a_token_that_was_not_shown_is_revoked(symphony: Symphony, data_dir: Path) -> None:
    created = symphony(*USER, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert created.status == 0, created.errors
    assert one_line(command(data_dir, "> /dev/full", *TOKEN)) == (
        "symphony: Cannot write to standard output: No space left on device. The token was revoked."
    )
    assert count_tokens(data_dir) == 0


def count_tokens(data_dir: Path) -> int:
    with closing(sqlite3.connect(data_dir / "symphony.sqlite3")) as database:
        return database.execute("SELECT count(*) FROM api_tokens").fetchone()[0]


@pytest.mark.long
def test_a_token_for_a_closed_output_is_revoked(symphony: Symphony, data_dir: Path) -> None:
    symphony(*USER, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert one_line(command(data_dir, ">&-", *TOKEN)) == (
        "symphony: Cannot write to standard output: it is closed. The token was revoked."
    )
    assert count_tokens(data_dir) == 0


@pytest.mark.long
@pytest.mark.parametrize("arguments", WRITES)
@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
def test_every_command_reports_a_result_that_is_lost(
    arguments: str, redirection: str, symphony: Symphony, data_dir: Path
) -> None:
    assert symphony("db", "upgrade").status == 0
    line = one_line(command(data_dir, redirection, *arguments.split()))
    assert line.startswith("symphony: Cannot write to standard output: ")


@pytest.mark.long
def test_a_reader_that_has_ended_is_reported(symphony: Symphony, data_dir: Path) -> None:
    assert symphony("db", "upgrade").status == 0
    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run(  # noqa: S603
        [SYMPHONY, "db", "check"],
        env=environment(data_dir),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert one_line(finished) == "symphony: Cannot write to standard output: Broken pipe."


@pytest.mark.long
def test_a_closed_standard_input_is_reported(data_dir: Path) -> None:
    line = one_line(command(data_dir, "<&-", *USER, "--password-stdin"))
    assert line == "symphony: Cannot read standard input: it is closed."


@pytest.mark.long
@pytest.mark.parametrize("redirection", ["<&-", "< /dev/null"])
def test_no_password_is_asked_for_without_a_terminal(redirection: str, data_dir: Path) -> None:
    line = one_line(command(data_dir, redirection, *USER))
    assert line == "symphony: Cannot read the password from a terminal; use --password-stdin."


@pytest.mark.long
def test_nothing_is_deleted_when_no_answer_can_be_read(symphony: Symphony, data_dir: Path) -> None:
    symphony(*USER, "--password-stdin", stdin=f"{PASSWORD}\n")
    line = one_line(command(data_dir, "<&-", "user", "delete", "ada"))
    assert line == "symphony: Nothing was deleted; confirm with y, or use --yes."


@pytest.mark.long
@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full", "<&- >&- 2>&-"])
def test_an_error_that_cannot_be_written_keeps_its_exit_status(
    redirection: str, data_dir: Path
) -> None:
    assert command(data_dir, redirection, "db", "check", PORT="abc").returncode == 2


@pytest.mark.long
def test_an_encoding_without_a_character_is_no_failure(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    finished = command(data_dir, "", "db", "check", PORT="ü")
    assert one_line(finished, 2).startswith("symphony: SYMPHONY_PORT: ")


@pytest.mark.long
@pytest.mark.parametrize("arguments", ["--help", "serve"])
def test_python_without_docstrings_is_refused(arguments: str, data_dir: Path) -> None:
    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-OO", SYMPHONY, arguments],
        env=environment(data_dir),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert one_line(finished, 2).startswith("symphony: Python's option -OO (PYTHONOPTIMIZE=2) ")


@pytest.mark.long
def test_a_change_whose_result_cannot_be_shown_is_reported_as_completed(data_dir: Path) -> None:
    password = data_dir.parent / "password"
    password.write_text(PASSWORD)
    created = command(data_dir, f"--password-stdin > /dev/full < {password}", *USER)
    assert one_line(created) == (
        "symphony: Cannot write to standard output: No space left on device. The command itself was"
        " completed."
    )
    listed = command(data_dir, "", "user", "list")
    assert "ada@example.org" in listed.stdout


@pytest.mark.long
@pytest.mark.parametrize("options", [("--workers", "2"), ("--git-root", "/")])
def test_a_service_that_needs_a_temporary_directory_is_refused_without(
    options: tuple[str, ...], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python falls back on /tmp and the working directory, which root can write to.
    code = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nonexistent']"
    (data_dir.parent / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(data_dir.parent))
    finished = command(data_dir, "", "serve", "--port", "0", *options)
    line = one_line(finished)
    assert "temporary directory" in line
    assert "TMPDIR" in line
    assert "Cannot listen" not in line
