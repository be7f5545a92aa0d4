"""Settings: where they come from, and how invalid ones are refused."""

import os
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.demos.support.stage import Stage, perform
from scripts.support.service_process import SYMPHONY
from symphony.config.demo import get_demo_settings
from symphony.config.settings import SettingsError, load_settings

VARIABLES = ("SYMPHONY_PORT", "SYMPHONY_REGISTRATION", "SYMPHONY_GIT_ROOTS")
INVALID = {
    "an unknown name": ("SYMPHONY_COLOR", "blue"),
    "a port that is not a number": ("SYMPHONY_PORT", "harp"),
    "a port that does not exist": ("SYMPHONY_PORT", "65536"),
    "a word that is not in the list of choices": ("SYMPHONY_REGISTRATION", "maybe"),
    "a limit below one": ("SYMPHONY_MAX_REPOS_PER_WORKSPACE", "0"),
    "a folder that does not exist": ("SYMPHONY_GIT_ROOTS", "/no/such/folder"),
    "a secret that is too short": ("SYMPHONY_SECRET_KEY", "hunter2"),
}


def story(stage: Stage) -> None:
    defaults(stage)
    environment_variables(stage)
    demo_mode(stage)
    refusals(stage)
    refused_start(stage)
    named_directories(stage)
    database_urls(stage)
    databases_that_cannot_be_used(stage)


def defaults(stage: Stage) -> None:
    stage.step("Without any setting, everything has a default")
    settings = load_settings()
    shown = ("host", "port", "workers", "log_format", "registration", "access_token_ttl")
    stage.table(
        "setting",
        "variable",
        "default",
        rows=[(*_names(name), getattr(settings, name)) for name in shown],
    )
    stage.why("a server to try needs no configuration, and is not reachable from outside.")
    stage.expect("the server listens on this machine only", settings.host == "127.0.0.1")
    stage.expect(
        "its data is in an SQLite file in the user's data directory",
        settings.store == settings.data_dir / "symphony.sqlite3",
    )
    limits = (
        settings.max_workspaces_per_user,
        settings.max_repos_per_workspace,
        settings.max_vaults_per_workspace,
    )
    stage.expect(
        "limits: 50 workspaces per user, 100 repos and 20 vaults per workspace",
        limits == (50, 100, 20),
    )


def environment_variables(stage: Stage) -> None:
    stage.step("SYMPHONY_* variables override defaults, and options override variables")
    here = str(Path(__file__).parent)
    with environment(
        SYMPHONY_PORT="9000",
        SYMPHONY_REGISTRATION="closed",
        SYMPHONY_GIT_ROOTS=os.pathsep.join((here, here)),
        SYMPHONY_DATABASE_URL="postgresql://ada:hunter2@db.example.org/symphony",
    ):
        settings = load_settings()
        shown = {name: value for name, value in os.environ.items() if name in VARIABLES}
        stage.table("variable", "value", rows=sorted(shown.items()))
        stage.why("a container is configured by its environment, an experiment by an option.")
        stage.expect("the port is 9000", settings.port == 9000)
        stage.expect("registration is closed", settings.registration == "closed")
        stage.expect("two folders are separated as in PATH", len(settings.git_roots) == 2)
        stage.expect("the data is on PostgreSQL", str(settings.store).startswith("postgresql://"))
        stage.expect("the password is not in the repr", "hunter2" not in repr(settings))
        stage.expect("`--port 7000` wins", load_settings(port=7000).port == 7000)


def demo_mode(stage: Stage) -> None:
    stage.step("Demo mode keeps everything in memory")
    with environment(SYMPHONY_DATABASE_URL="postgresql://db.example.org/symphony"):
        settings = get_demo_settings()
    stage.table(
        "setting",
        "value",
        rows=[
            ("demo_mode", settings.demo_mode),
            ("demo_database_url", settings.demo_database_url),
            ("store", settings.store),
        ],
    )
    stage.why("a demo cannot damage real data, even where SYMPHONY_DATABASE_URL is set.")
    stage.expect("demo mode is on", settings.demo_mode)
    stage.expect("the database is SQLite in memory", settings.demo_database_url == "sqlite://")
    stage.expect("the configured database is not used", settings.store == "sqlite://")
    with (
        stage.expect_refusal(
            "two processes, which would share no memory", SettingsError, "WORKERS"
        ),
        environment(SYMPHONY_DEMO_MODE="true", SYMPHONY_WORKERS="2"),
    ):
        load_settings()


def refusals(stage: Stage) -> None:
    stage.step("An invalid setting is refused, by name and with what is allowed")
    for what, (name, value) in INVALID.items():
        with stage.expect_refusal(what, SettingsError, name), environment(**{name: value}):
            load_settings()


def refused_start(stage: Stage) -> None:
    stage.step("An invalid setting stops the start with one line")
    done = subprocess.run(  # noqa: S603 - our own program
        [SYMPHONY, "serve"],
        env=os.environ | {"SYMPHONY_SECRET_KEY": "hunter2"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    stage.run("SYMPHONY_SECRET_KEY=hunter2 symphony serve", done.stderr)
    stage.why("a wrong setting is found at the start, not at the first request that needs it.")
    stage.expect("the server does not start", done.returncode == 2 and not done.stdout)
    stage.expect("it prints one line, no traceback", done.stderr.count("\n") == 1)
    stage.expect("the line names the variable", "SYMPHONY_SECRET_KEY" in done.stderr)
    stage.expect("but not its value", "hunter2" not in done.stderr)


def named_directories(stage: Stage) -> None:
    stage.step("A data directory is used as it is named")
    with TemporaryDirectory() as top:
        for name in ("a%20b?mode=ro", "ü #x"):
            directory = Path(top) / name
            done = symphony("db", "upgrade", SYMPHONY_DATA_DIR=str(directory))
            stage.run(f"SYMPHONY_DATA_DIR='…/{name}' symphony db upgrade", done.stdout)
            found = {file.name for file in directory.iterdir()}
            stage.expect(f"the database is in {name!r}", "symphony.sqlite3" in found)
        names = sorted(each.name for each in Path(top).iterdir())
        stage.expect("no other directory was created", len(names) == 2)
    stage.why("in a URL, such a path would be decoded, and the data would be elsewhere.")


def database_urls(stage: Stage) -> None:
    stage.step("A PostgreSQL URL has libpq's parameters: each has its effect or is refused by name")
    base = "postgresql://ada:hunter2@127.0.0.1:1/symphony"
    for parameter, status in (
        ("connect_timeout=2&keepalives_idle=30&application_name=symphony-1", 1),
        ("channel_binding=require", 2),
        ("work_mem=8MB", 2),
    ):
        done = symphony("db", "check", SYMPHONY_DATABASE_URL=f"{base}?{parameter}")
        stage.run(f"SYMPHONY_DATABASE_URL='…?{parameter}' symphony db check", done.stderr)
        wanted = "Connection refused" if status == 1 else parameter.partition("=")[0]
        stage.expect(
            "it is honored: only the server is missing" if status == 1 else "it is refused by name",
            done.returncode == status and wanted in done.stderr,
        )
        stage.expect("in one line, without the password", is_one_line(done, "hunter2"))
    stage.why("a parameter that is ignored would promise a protection that is not there.")


def databases_that_cannot_be_used(stage: Stage) -> None:
    stage.step("A database that cannot be used is refused in one line")
    with TemporaryDirectory() as top:
        file = Path(top) / "symphony.sqlite3"
        file.touch(mode=0o600)
        file.write_text("Dear Charles, " * 1000)
        text = symphony("serve", "--port", "0", SYMPHONY_DATA_DIR=top)
        file.unlink()
        symphony("db", "upgrade", SYMPHONY_DATA_DIR=top)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '999'")
            connection.commit()
        newer = symphony("db", "check", SYMPHONY_DATA_DIR=top)
    for what, command, done, expected in (
        ("A text in place of the database:", "serve", text, "is not an SQLite database"),
        ("The database of a later version:", "db check", newer, "newer than this program"),
    ):
        stage.say(what)
        stage.run(f"symphony {command}", done.stderr.replace(top, "…"))
        stage.expect(f"it says: {expected}", expected in done.stderr and done.returncode == 1)
        stage.expect("in one line, without a traceback", is_one_line(done))
    stage.expect("an upgrade, which would not help, is not advised", "upgrade" not in newer.stderr)
    stage.why("the line says what to do, at the start and not at the first request.")


def symphony(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own program
        [SYMPHONY, *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def is_one_line(done: "subprocess.CompletedProcess[str]", *secrets: str) -> bool:
    return done.stderr.count("\n") == 1 and not any(each in done.stderr for each in secrets)


@contextmanager
def environment(**variables: str) -> Generator[None]:
    """Set environment variables within the block."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def _names(field: str) -> tuple[str, str]:
    return field, f"SYMPHONY_{field.upper()}"


if __name__ == "__main__":
    perform(story)
