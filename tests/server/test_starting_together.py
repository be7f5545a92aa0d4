"""Eight services can start on an empty database at the same time."""

import asyncio
import multiprocessing
import os
import sys
from pathlib import Path

import httpx
import pytest

from scripts.support.polling import until
from tests.conftest import SECRET
from tests.support.server import STARTS_WITHIN, environment

pytestmark = pytest.mark.long

TOGETHER = 8
# Forked from a process that has imported the service already, so that they reach the database at
# the same time.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["symphony.cli", "symphony.main", "symphony.serving.server"])


def serve(settings: dict[str, str], output: Path) -> None:
    """Do in a separate process what `symphony serve` does."""
    from symphony.cli import app  # noqa: PLC0415 - already imported by the fork server

    os.environ.update(settings)
    with output.open("wb", buffering=0) as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    app(["serve", "--port", "0"])


def text_of(output: Path) -> str:
    return output.read_text() if output.exists() else ""


async def is_ready(client: httpx.AsyncClient, output: Path) -> bool:
    printed = text_of(output)
    if "Documentation: " not in printed:
        return False
    address = printed.split("Symphony listens on ")[1].split()[0]
    return (await client.get(f"{address}/health/ready")).status_code == 200


@pytest.mark.parametrize("kind", ["postgresql", "sqlite-file"])
async def test_eight_services_start_together_on_an_empty_database(
    kind: str, tmp_path: Path, empty_postgresql: str
) -> None:
    settings = {"SECRET_KEY": SECRET, "AUTO_MIGRATE": "true"}
    if kind == "postgresql":
        settings["DATABASE_URL"] = empty_postgresql
    else:
        del settings["SECRET_KEY"]  # all of them create the key file as well
    outputs = [tmp_path / f"{number}.log" for number in range(TOGETHER)]
    given = environment(tmp_path / "data", **settings)
    processes = [_CONTEXT.Process(target=serve, args=(given, output)) for output in outputs]
    try:
        for process in processes:
            process.start()
        async with httpx.AsyncClient(timeout=STARTS_WITHIN) as client:

            async def all_are_ready() -> bool:
                exited = [
                    text_of(output)
                    for output, process in zip(outputs, processes, strict=True)
                    if not process.is_alive()
                ]
                assert not exited, exited
                return all([await is_ready(client, each) for each in outputs])

            await until(all_are_ready, STARTS_WITHIN)
    finally:
        for process in processes:
            process.kill()
            await asyncio.to_thread(process.join)
    if kind == "sqlite-file":
        assert sorted(each.suffix for each in (tmp_path / "data").glob("*key*")) == [
            ".key",
            ".master-key",
        ]
