"""The Dockerfile and the compose file, as far as they can be checked without an image.

`tests/sdk/test_configuration_files.py` runs linters on both.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symphony.config.settings import PREFIX, Settings
from tests.support.checkout import TOP
from tests.support.server import running_server

DOCKERFILE = TOP / "Dockerfile"
COMPOSE_FILE = TOP / "compose.yaml"


@pytest.mark.parametrize("file", [DOCKERFILE, COMPOSE_FILE], ids=lambda each: each.name)
def test_only_settings_that_exist_are_set(file: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", file.read_text("utf-8")))
    assert len(named) > 3
    assert named - {PREFIX + name.upper() for name in Settings.model_fields} == set()


def test_the_dockerfile_copies_what_the_build_needs_and_nothing_else() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    ignored = (TOP / ".dockerignore").read_text("utf-8").splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((TOP / name).exists() for name in copied)


@pytest.mark.long
async def test_the_health_check_of_the_image_succeeds_only_while_the_service_runs(
    tmp_path: Path,
) -> None:
    check = re.search(r"HEALTHCHECK .*\\\n +CMD (\[.+\])", DOCKERFILE.read_text("utf-8"))
    assert check
    _, *arguments = json.loads(check[1])
    async with running_server(tmp_path / "data") as server:
        port = str(server.port)
        assert exit_status(arguments, port) == 0
    assert exit_status(arguments, port) == 1


def exit_status(arguments: list[str], port: str) -> int:
    finished = subprocess.run(  # noqa: S603 - the command of the image
        [sys.executable, *arguments],
        env={**os.environ, "SYMPHONY_PORT": port},
        capture_output=True,
        check=False,
        timeout=30,
    )
    return finished.returncode
