"""Settings: where they come from, and how bad ones are refused."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from scripts.demos.support.stage import Stage, perform
from symphony.config.demo import get_demo_settings
from symphony.config.settings import SettingsError, load_settings

SYMPHONY = Path(sys.executable).with_name("symphony")
BAD = {
    "an unknown name": ("SYMPHONY_COLOUR", "blue"),
    "a port that is no number": ("SYMPHONY_PORT", "harp"),
    "a port that there is not": ("SYMPHONY_PORT", "65536"),
    "a word that is not in the list": ("SYMPHONY_REGISTRATION", "maybe"),
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


def defaults(stage: Stage) -> None:
    stage.step("With nothing set, everything has a default")
    settings = load_settings()
    shown = ("host", "port", "workers", "log_format", "registration", "access_token_ttl")
    stage.table(
        "setting",
        "variable",
        "default",
        rows=[(*_names(name), getattr(settings, name)) for name in shown],
    )
    stage.expect("it listens on this machine only", settings.host == "127.0.0.1")
    stage.expect(
        "its data are in a file of its own, in the user's data folder",
        settings.store_url.startswith(f"sqlite:///{settings.data_dir}"),
    )
    limits = (
        settings.max_workspaces_per_user,
        settings.max_repos_per_workspace,
        settings.max_vaults_per_workspace,
    )
    stage.expect("50 workspaces a user, 100 repos and 20 vaults each", limits == (50, 100, 20))


def environment_variables(stage: Stage) -> None:
    stage.step("SYMPHONY_* variables say otherwise, and options go before them")
    here = str(Path(__file__).parent)
    with environment(
        SYMPHONY_PORT="9000",
        SYMPHONY_REGISTRATION="closed",
        SYMPHONY_GIT_ROOTS=os.pathsep.join((here, here)),
        SYMPHONY_DATABASE_URL="postgresql://ada:hunter2@db.example.org/symphony",
    ):
        settings = load_settings()
        stage.expect("the port is 9000", settings.port == 9000)
        stage.expect("nobody can sign up", settings.registration == "closed")
        stage.expect("two folders, as PATH would have them", len(settings.git_roots) == 2)
        stage.expect("the data are on PostgreSQL", settings.store_url.startswith("postgresql://"))
        stage.expect("the password does not show", "hunter2" not in repr(settings))
        stage.expect("an option wins: port 7000", load_settings(port=7000).port == 7000)


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
            ("store_url", settings.store_url),
        ],
    )
    stage.expect("demo mode is on", settings.demo_mode)
    stage.expect("the database is SQLite in memory", settings.demo_database_url == "sqlite://")
    stage.expect("the real one is never touched", settings.store_url == "sqlite://")
    with (
        stage.expect_refusal("two processes, for they share no memory", SettingsError, "WORKERS"),
        environment(SYMPHONY_DEMO_MODE="true", SYMPHONY_WORKERS="2"),
    ):
        load_settings()


def refusals(stage: Stage) -> None:
    stage.step("What cannot be meant is refused, and the line says which and what is allowed")
    for what, (name, value) in BAD.items():
        with stage.expect_refusal(what, SettingsError, f"{name}: "), environment(**{name: value}):
            load_settings()


def refused_start(stage: Stage) -> None:
    stage.step("The start itself ends with that one line")
    ended = subprocess.run(  # noqa: S603 - our own program, and nothing of anybody else's
        [SYMPHONY, "serve"],
        env=os.environ | {"SYMPHONY_SECRET_KEY": "hunter2"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    stage.table("symphony serve", rows=[[ended.stderr.strip()]])
    stage.expect("it does not start", ended.returncode == 2 and not ended.stdout)
    stage.expect("one line, no traceback", ended.stderr.count("\n") == 1)
    stage.expect("that names the variable", "SYMPHONY_SECRET_KEY" in ended.stderr)
    stage.expect("and keeps the secret", "hunter2" not in ended.stderr)


@contextmanager
def environment(**variables: str) -> Generator[None]:
    """The environment with these variables in it, for a while."""
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
