"""Running: logs that cannot be written, streams that are closed, variables of Kubernetes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from sqlite3 import connect
from typing import IO

import httpx
from prometheus_client.parser import text_string_to_metric_families

from scripts.demos.support.stage import Stage, perform
from scripts.support.ports import free_port
from scripts.support.service_process import SYMPHONY, settings
from symphony.config.settings import SettingsError, load_settings

REQUESTS = 30
STARTS_WITHIN = 60  # seconds
STOPS_WITHIN = 10  # seconds
SERVICE_LINKS = {
    "SYMPHONY_SERVICE_HOST": "10.0.0.1",
    "SYMPHONY_SERVICE_PORT": "80",
    "SYMPHONY_PORT": "tcp://10.0.0.1:80",
    "SYMPHONY_DB_PORT_5432_TCP_ADDR": "10.0.0.2",
}
TOKEN = ("token", "create", "ada", "--name", "laptop", "--scope", "read")


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as folder:
        data = Path(folder, "data")
        greeting(stage, data)
        full_disk(stage, data)
        paused_reader(stage, data)
        lost_token(stage, data)
        closed_input(stage, data)
    kubernetes(stage)
    without_docstrings(stage)


def greeting(stage: Stage, data: Path) -> None:
    stage.step("The start says where the service is, where its data is, and what comes next")
    output = Path(f"{data}.log")
    with output.open("wb") as log, service(data, log, log) as (client, process):
        client.get("/health/live")
        stops(process)
    written = output.read_text()
    lines = [line for line in written.splitlines() if " GET /health/live " in line]
    stage.run("symphony serve", written.replace(str(data), "~/.local/share/symphony"))
    stage.why("the first minute with a service needs no manual, and a log line fits a terminal.")
    stage.expect("the data directory is named", f"Data: {data}" in written)
    stage.expect("a next step is named", "Next: open http://127.0.0.1:" in written)
    stage.expect("a request has one line, without unknown fields", len(lines) == 1)
    stage.expect("Ctrl-C leaves no error message", "rror" not in written)


def full_disk(stage: Stage, data: Path) -> None:
    stage.step("A full disk under the log breaks no request")
    with Path("/dev/full").open("wb") as full, service(data, full, full) as (client, process):
        statuses = {client.get("/health/live").status_code for _ in range(REQUESTS)}
        time_limit = time.monotonic() + STOPS_WITHIN
        while (dropped := dropped_lines(client)) < REQUESTS and time.monotonic() < time_limit:
            time.sleep(0.05)
        stage.run("symphony serve 2> /dev/full", f"{REQUESTS} requests: {statuses}")
        stage.run("curl -s …/metrics | grep dropped", f"symphony_log_lines_dropped_total {dropped}")
        stage.why("a log is there to help, and must not become the reason of an outage.")
        stage.expect("every request is answered", statuses == {200})
        stage.expect("the lines that are lost are counted", dropped >= REQUESTS)
        stops(process)


def paused_reader(stage: Stage, data: Path) -> None:
    stage.step("A reader of the log that pauses (Ctrl-S, a stopped `less`) stops nothing")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    os.set_blocking(writer, True)
    with os.fdopen(writer, "wb") as pipe, service(data, pipe, pipe) as (client, process):
        statuses = {client.get("/health/live").status_code for _ in range(REQUESTS)}
        stage.expect("every request is answered", statuses == {200})
        seconds = stops(process)
        stage.expect("Ctrl-C still stops the service", process.returncode == 0, f"{seconds:.1f} s")
    os.close(reader)


def lost_token(stage: Stage, data: Path) -> None:
    stage.step("A token that could not be shown is not left behind")
    user = ("user", "create", "ada", "--email", "ada@example.org", "--password-stdin")
    command(data, *user, given="plover quartz 1\n")
    with Path("/dev/full").open("wb") as full:
        lost = command(data, *TOKEN, output=full)
    stage.run("symphony token create ada … > /dev/full", lost.stderr)
    with closing(connect(data / "symphony.sqlite3")) as database:
        (left,) = database.execute("SELECT count(*) FROM api_tokens").fetchone()
    stage.why("a script that stores the token sees that it failed, and no lost token is valid.")
    stage.expect("the exit status is 1", lost.returncode == 1)
    stage.expect("the token was created and revoked", "token was revoked" in lost.stderr)
    stage.expect("no token is left", left == 0)


def closed_input(stage: Stage, data: Path) -> None:
    stage.step("A closed standard input is reported in one line")
    user = ("user", "create", "eve", "--email", "eve@example.org", "--password-stdin")
    shell = ["/bin/sh", "-c", '"$0" "$@" <&-', str(SYMPHONY), *user]
    done = subprocess.run(  # noqa: S603 - our own program
        shell, env=environment(data), capture_output=True, text=True, check=False
    )
    stage.run("symphony user create eve … --password-stdin <&-", done.stderr)
    stage.expect("it says why", "Cannot read standard input" in done.stderr)
    stage.expect("one line, and no success", done.returncode and done.stderr.count("\n") == 1)


def kubernetes(stage: Stage) -> None:
    stage.step("What Kubernetes sets for a Service called symphony is no setting")
    stage.table("variable", "value", rows=SERVICE_LINKS.items())
    os.environ |= SERVICE_LINKS
    try:
        stage.expect("the port is the default", load_settings().port == 8000)
        os.environ["SYMPHONY_PROT"] = "9000"
        with stage.expect_refusal("a typing error", SettingsError, "SYMPHONY_PROT"):
            load_settings()
    finally:
        for name in (*SERVICE_LINKS, "SYMPHONY_PROT"):
            os.environ.pop(name, None)
    stage.why("the name of a Service must not stop a container, and a typing error must.")


def without_docstrings(stage: Stage) -> None:
    stage.step("Python without docstrings would remove the descriptions of the API")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-OO", SYMPHONY, "serve"], capture_output=True, text=True, check=False
    )
    stage.run("python -OO symphony serve", done.stderr)
    stage.expect("it is refused", done.returncode == 2)


@contextmanager
def service(
    data: Path, output: IO[bytes], errors: IO[bytes]
) -> Generator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    """Run a service; it is killed at the end of the block. Raises: TimeoutError."""
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [SYMPHONY, "serve", "--port", str(port)],
        env=environment(data),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            ready(client)
            yield client, process
    finally:
        process.kill()
        process.wait()


def ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            client.get("/health/ready").raise_for_status()
            return
        time.sleep(0.05)
    raise TimeoutError


def stops(process: "subprocess.Popen[bytes]") -> float:
    """Interrupt a service as Ctrl-C does; return the seconds until it has stopped."""
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    process.wait(STOPS_WITHIN)
    return time.perf_counter() - start


def dropped_lines(client: httpx.Client) -> int:
    families = text_string_to_metric_families(client.get("/metrics").text)
    (family,) = [each for each in families if each.name == "symphony_log_lines_dropped"]
    return int(family.samples[0].value)


def command(
    data: Path, *arguments: str, given: str = "", output: IO[bytes] | int = subprocess.PIPE
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own program
        [SYMPHONY, *arguments],
        env=environment(data),
        input=given,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def environment(data: Path) -> dict[str, str]:
    return os.environ | settings(DATA_DIR=str(data))


if __name__ == "__main__":
    perform(story)
