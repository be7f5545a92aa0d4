"""Which branches remotes have: asked by git, with the user's own credentials.

git runs outside of every repository, so nothing of the repository's configuration counts but the
address. It asks for no password.
"""

import asyncio
import os
import re
import shlex
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from symphony.domain.base import utc_now
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.git.work import RemoteHeads

_CONCURRENCY = 8
_TIME_LIMIT = 20.0  # seconds for one remote
_MAX_OUTPUT = 8 << 20  # bytes
_MAX_BRANCHES = 10_000
_CHUNK = 1 << 16  # bytes
_TRANSPORTS = "https:http:ssh:git"
_BRANCH = re.compile(
    rb"(?P<id>[0-9a-f]{40}|[0-9a-f]{64})\trefs/heads/(?P<name>[^\x00-\x20\x7f~^:?*\[\\]+)"
)
_DEFAULT = re.compile(rb"ref: refs/heads/(?P<name>\S+)\tHEAD")


async def ask(addresses: Collection[str]) -> Mapping[str, RemoteHeads]:
    """Ask the remotes at the addresses; those that cannot be asked are missing."""
    answers = dict[str, RemoteHeads]()
    remaining = iter([each for each in addresses if _may_ask(each)])
    with tempfile.TemporaryDirectory(prefix="symphony-remotes-") as name:
        directory = Path(name)
        environment = await _environment(directory, Path(tempfile.gettempdir()))

        async def ask_each() -> None:
            for address in remaining:
                output = await _output(
                    directory, environment, "ls-remote", "--symref", "--", address
                )
                if output is not None:
                    answers[address] = _parsed(address, output)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENCY):
                group.create_task(ask_each())
    return answers


def _may_ask(address: str) -> bool:
    """Return whether an address names a host, and not a path, an option or a helper."""
    return not address.startswith("-") and normalized_remote(address) is not None


async def _environment(directory: Path, ceiling: Path) -> Mapping[str, str]:
    """Return the user's own environment, without what names a repository or asks a person."""
    kept = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(("GIT_", "SYMPHONY_"))
    }
    environment |= {
        "LC_ALL": "C",
        "GIT_CEILING_DIRECTORIES": str(ceiling),
        "GIT_ALLOW_PROTOCOL": _TRANSPORTS,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
    }
    if "GIT_SSH" not in environment:
        command = environment.get("GIT_SSH_COMMAND")
        if command is None:
            set_by_user = await _output(directory, environment, "config", "core.sshCommand")
            command = (set_by_user or b"").decode("utf-8", "surrogateescape").strip() or "ssh"
        environment["GIT_SSH_COMMAND"] = f"{command} {shlex.join(_NO_QUESTIONS)}"
    return environment


_NO_QUESTIONS = ("-oBatchMode=yes", "-oConnectTimeout=10")


async def _output(directory: Path, environment: Mapping[str, str], *arguments: str) -> bytes | None:
    """Return what git prints; None when it fails, takes too long, or prints too much."""
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=directory,
            env=environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,  # without a terminal; it is killed with what it starts
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            output = await _read(process)
            status = await process.wait()
    except TimeoutError:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return output if status == 0 else None


async def _read(process: Process) -> bytes | None:
    assert process.stdout is not None  # noqa: S101 - a pipe was requested
    output = bytearray()
    while chunk := await process.stdout.read(_CHUNK):
        output += chunk
        if len(output) > _MAX_OUTPUT:
            return None
    return bytes(output)


def _parsed(address: str, output: bytes) -> RemoteHeads:
    branches, default = dict[str, str](), None
    for line in output.splitlines():
        if branch := _BRANCH.fullmatch(line):
            branches[os.fsdecode(branch["name"])] = branch["id"].decode()
        elif symbolic := _DEFAULT.fullmatch(line):
            default = os.fsdecode(symbolic["name"])
    is_complete = len(branches) <= _MAX_BRANCHES
    kept = branches if is_complete else dict(list(branches.items())[:_MAX_BRANCHES])
    return RemoteHeads(
        remote_url=address,
        branches=kept,
        default_branch=default if default in kept else None,
        is_complete=is_complete,
        synced_at=utc_now(),
    )
