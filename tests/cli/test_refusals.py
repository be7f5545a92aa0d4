"""An error that the operator can fix is refused in one line that says how."""

import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.conftest import Symphony, refusal

SECRET = "a secret that is only good for tests, and long enough"
CANARY = "canary-that-must-not-be-printed"
NOWHERE = f"postgresql://ada:{CANARY}@127.0.0.1:1/symphony"  # nothing listens on this port

COMMANDS = {
    "serve": ("serve", "--port", "0"),
    "db upgrade": ("db", "upgrade"),
    "db check": ("db", "check"),
    "user create": ("user", "create", "ada", "--email", "ada@example.org", "--password-stdin"),
    "token create": ("token", "create", "ada", "--name", "laptop", "--scope", "read"),
    "user list": ("user", "list"),
}


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return COMMANDS[request.param]


@pytest.fixture
def taken_port() -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_an_unknown_setting_is_named(command: tuple[str, ...], symphony: Symphony) -> None:
    finished = symphony(*command, PROT=CANARY)
    assert finished.status == 2
    assert refusal(finished).startswith("SYMPHONY_PROT: unknown setting.")
    assert CANARY not in finished.errors


def test_a_bad_value_is_named_with_what_is_allowed(
    command: tuple[str, ...], symphony: Symphony
) -> None:
    finished = symphony(*command, MAX_BODY_BYTES="many")
    assert finished.status == 2
    assert (
        refusal(finished)
        == "SYMPHONY_MAX_BODY_BYTES: 'many' is invalid; must be an integer >= 1024."
    )


def test_a_git_root_with_a_separator_is_not_split_into_two(
    symphony: Symphony, tmp_path: Path
) -> None:
    for name in ("dev", "old"):
        (tmp_path / name).mkdir()
    finished = symphony("serve", "--port", "70000", "--git-root", f"{tmp_path}/dev:{tmp_path}/old")
    assert finished.status == 2
    given = f"{tmp_path}/dev:{tmp_path}/old"
    assert refusal(finished) == f"--git-root: {given!r} is invalid; must be a path without ':'."


def test_a_git_configuration_that_others_may_write_to_is_refused(
    symphony: Symphony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".gitconfig"
    file.touch()
    file.chmod(0o666)
    monkeypatch.setenv("HOME", str(tmp_path))
    finished = symphony("serve", "--port", "0", "--git-root", str(tmp_path), GIT_USER_CONFIG="true")
    assert finished.status == 2
    expected = f"SYMPHONY_GIT_USER_CONFIG: other users may write to {file} (owner "
    assert refusal(finished).startswith(expected)


def test_an_empty_git_root_is_not_the_working_directory(symphony: Symphony) -> None:
    finished = symphony("serve", "--port", "70000", "--git-root", "")
    assert finished.status == 2
    assert refusal(finished) == "--git-root: '' is invalid; must be an existing directory."


def test_a_short_secret_is_refused(symphony: Symphony) -> None:
    finished = symphony("serve", SECRET_KEY=CANARY)
    assert refusal(finished) == "SYMPHONY_SECRET_KEY: must have at least 32 bytes."


@pytest.mark.parametrize("form", ["postgresql://", "postgresql+asyncpg://"])
def test_postgresql_needs_a_secret(form: str, symphony: Symphony, empty_postgresql: str) -> None:
    url = empty_postgresql.replace("postgresql://", form)
    assert refusal(symphony("serve", DATABASE_URL=url)).startswith(
        "SYMPHONY_SECRET_KEY is required"
    )


def test_a_schema_that_is_not_at_head_is_refused_and_the_command_for_it_named(
    symphony: Symphony, empty_postgresql: str
) -> None:
    finished = symphony("serve", DATABASE_URL=empty_postgresql, SECRET_KEY=SECRET)
    assert "run `symphony db upgrade`" in refusal(finished)


def test_an_unreachable_database_is_refused(command: tuple[str, ...], symphony: Symphony) -> None:
    finished = symphony(*command, DATABASE_URL=NOWHERE, SECRET_KEY=SECRET)
    assert refusal(finished) == "PostgreSQL cannot be reached at 127.0.0.1:1: Connection refused"


@pytest.mark.parametrize("automatic", ["true", "false"])
def test_a_database_that_does_not_exist_is_refused(
    automatic: str, symphony: Symphony, empty_postgresql: str
) -> None:
    database = empty_postgresql.rpartition("/test_")[2].partition("?")[0]
    url = empty_postgresql.replace(f"/test_{database}", "/no_such_database")
    assert url != empty_postgresql
    finished = symphony("serve", DATABASE_URL=url, SECRET_KEY=SECRET, AUTO_MIGRATE=automatic)
    assert "database" in refusal(finished)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresq://ada:{CANARY}@127.0.0.1/symphony",
        f"mysql://ada:{CANARY}@127.0.0.1/symphony",
        f"postgresql+psycopg://ada:{CANARY}@127.0.0.1/symphony",
        f"postgresql://ada:{CANARY}@127.0.0.1:port/symphony",
        f"postgresql://ada:{CANARY}@127.0.0.1/symphony?sslmode=perhaps",
        CANARY,
        "",
    ],
)
def test_the_refusal_of_a_bad_database_url_does_not_contain_its_password(
    url: str, command: tuple[str, ...], symphony: Symphony
) -> None:
    finished = symphony(*command, DATABASE_URL=url, SECRET_KEY=SECRET)
    assert refusal(finished).startswith("SYMPHONY_DATABASE_URL: ")
    assert CANARY not in finished.errors


def test_a_directory_that_is_not_writable_is_refused(
    command: tuple[str, ...], symphony: Symphony, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    finished = symphony(*command, DATA_DIR=str(file / "data"))
    assert refusal(finished).startswith(f"Cannot write to {file}/data: ")
    assert "SYMPHONY_DATA_DIR" in finished.errors


def test_a_bad_database_url_of_the_demo_is_named_by_its_variable(symphony: Symphony) -> None:
    finished = symphony("serve", "--demo", DEMO_DATABASE_URL="demo.db")
    assert refusal(finished) == (
        "SYMPHONY_DEMO_DATABASE_URL: must be postgresql://… or sqlite:///file"
    )


def test_a_file_that_is_not_a_database_is_refused_and_not_changed(
    command: tuple[str, ...], symphony: Symphony, tmp_path: Path
) -> None:
    file = tmp_path / "letters.txt"
    file.write_text("Dear Charles, " * 1000)
    finished = symphony(*command, DATABASE_URL=f"sqlite:///{file}")
    assert "database" in refusal(finished)
    assert file.read_text() == "Dear Charles, " * 1000


def test_an_empty_key_file_is_refused_and_named(symphony: Symphony, data_dir: Path) -> None:
    data_dir.mkdir()
    key = data_dir / "symphony.sqlite3.key"
    key.touch()
    assert refusal(symphony("serve")).startswith(f"{key} must have at least 32 bytes.")


@pytest.mark.long
def test_a_port_that_is_taken_is_refused(symphony: Symphony, taken_port: int) -> None:
    finished = symphony("serve", "--port", str(taken_port))
    assert refusal(finished) == (
        f"Cannot listen on 127.0.0.1:{taken_port}: the address is already in use;"
        " choose another port with --port."
    )


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_of_another_machine_is_refused(host: str, symphony: Symphony) -> None:
    finished = symphony("serve", "--port", "0", "--host", host)
    line = refusal(finished)
    assert line.startswith(f"Cannot listen on {host}:0: ")
    assert line.endswith("choose an address of this machine with --host.")


@pytest.mark.parametrize(
    ("options", "settings"),
    [(("--demo",), {}), ((), {"DEMO_MODE": "true"}), ((), {"DATABASE_URL": "sqlite://"})],
    ids=["--demo", "SYMPHONY_DEMO_MODE", "a database in memory"],
)
def test_memory_is_not_shared_by_several_processes(
    options: tuple[str, ...], settings: dict[str, str], symphony: Symphony, data_dir: Path
) -> None:
    finished = symphony("serve", "--port", "0", "--workers", "2", *options, **settings)
    assert refusal(finished).startswith("--workers: ")
    assert finished.status == 2
    assert not data_dir.exists()
