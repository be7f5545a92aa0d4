"""Registration and files: who gets into a service that inspects the owner's repositories."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage
from scripts.demos.support.user import API, PASSWORD, outcome
from scripts.support.service_process import SYMPHONY

KNOWN = b"a key that another user of the machine knows, too"
STRANGERS = 20
KEY = "symphony.sqlite3.key"


def registration_and_files(stage: Stage, place: Path) -> None:
    place.mkdir()
    dev, data = place / "dev", place / "data"
    dev.mkdir()
    first_profile(stage, dev, data)
    planted_key(stage, place / "planted")
    open_directory(stage, data)
    files_from_before(stage, data)


def first_profile(stage: Stage, dev: Path, data: Path) -> None:
    stage.step("Of many who sign up at the same time, exactly one gets the first profile")
    stage.say(
        "Every user of this machine reaches 127.0.0.1. With --git-root, every user of the service"
        " sees the repositories, so only the first profile can be created by signing up."
    )
    with running_server("--git-root", str(dev), data=data) as server, server.client() as client:
        line = start_line(server)
        stage.run("symphony serve --git-root ~/dev", line)
        stage.expect(
            "the start says that the first profile is missing", "still to be created" in line
        )
        with ThreadPoolExecutor(STRANGERS) as threads:
            answers = list(threads.map(partial(sign_up, client), range(STRANGERS)))
        outcomes = [outcome(each) for each in answers]
        stage.table(
            "answer", "number", rows=[(each, outcomes.count(each)) for each in sorted({*outcomes})]
        )
        stage.expect("one profile was created", outcomes.count("201") == 1)
        late = stage.exchange(sign_up(client, STRANGERS), "status", "code", "detail")
        stage.why(
            "the answer is the same for every name, and costs no password hash, so it can neither"
            " be used to find names nor to keep the service busy."
        )
        stage.expect("closed from now on", outcome(late) == "403 registration-closed")
        added = command(data, "user", "create", "grace", given=f"{PASSWORD}\n")
        stage.run("symphony user create grace …", added.stdout)
        stage.expect("the operator still creates profiles", added.returncode == 0)
    with running_server("--git-root", str(dev), data=data) as server:
        line = start_line(server)
    stage.run("symphony serve --git-root ~/dev", line)
    stage.expect("the next start says that the first profile exists", "exists" in line)


def planted_key(stage: Stage, data: Path) -> None:
    stage.step("A key that another user has planted is not used")
    data.mkdir(mode=0o700)
    key, elsewhere = data / KEY, data.with_name("elsewhere")
    for how in ("writable", "a link", *(["of another owner"] if os.geteuid() == 0 else [])):
        key.unlink(missing_ok=True)
        if how == "a link":
            elsewhere.write_bytes(KNOWN)
            key.symlink_to(elsewhere)
        else:
            key.write_bytes(KNOWN)
            key.chmod(0o666 if how == "writable" else 0o644)
        if how == "of another owner":
            os.chown(key, 12345, -1)
        refused = command(data, "serve", "--port", "0")
        stage.run(f"symphony serve    # the key is {how}", refused.stderr.replace(str(data), "/…"))
        stage.expect("the start is refused in one line", is_refusal(refused, key))
    stage.why(
        "with a known key, a stranger signs tokens of every user. The service cannot know what"
        " others have written, so it asks the operator."
    )
    again = command(data, "user", "list")
    stage.expect("every other command is refused as well", is_refusal(again, key))


def open_directory(stage: Stage, data: Path) -> None:
    stage.step("A data directory that others can write is refused")
    data.chmod(0o777)
    refused = command(data, "token", "create", "grace", "--name", "ci", "--scope", "read")
    stage.run(
        "chmod 777 data; symphony token create grace …", refused.stderr.replace(str(data), "/…")
    )
    stage.expect("the line names the fix", is_refusal(refused, data) and "chmod" in refused.stderr)
    data.chmod(0o755)


def files_from_before(stage: Stage, data: Path) -> None:
    stage.step("Files that others could only read are closed")
    for name in ("symphony.sqlite3", KEY):
        (data / name).chmod(0o644)
    done = command(data, "user", "list")
    stage.run("symphony user list", done.stderr + done.stdout)
    modes = {each.name: f"{each.stat().st_mode & 0o777:04o}" for each in data.iterdir()}
    stage.table("file", "mode", rows=sorted(modes.items()))
    stage.expect("everything is there", "grace" in done.stdout)
    stage.expect("only the owner can read any of them", {*modes.values()} == {"0600"})


def sign_up(client: httpx.Client, number: int) -> httpx.Response:
    name = f"stranger{number}"
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    return client.post(f"{API}/user-profiles", json=body)


def start_line(server: Server) -> str:
    """What the start prints about the registration, below the address of the documentation."""
    assert server.process.stdout is not None
    lines = iter(server.process.stdout.readline, "")
    return next((line.strip() for line in lines if line.startswith("Registration: ")), "")


def is_refusal(done: "subprocess.CompletedProcess[str]", path: Path) -> bool:
    line = done.stderr
    return done.returncode == 1 and line.count("\n") == 1 and f"symphony: {path} is " in line


def command(data: Path, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    email = ["--email", f"{arguments[2]}@example.org", "--password-stdin"] if given else []
    return subprocess.run(  # noqa: S603 - our own program
        [SYMPHONY, *arguments, *email],
        env=os.environ | {"SYMPHONY_DATA_DIR": str(data)},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
