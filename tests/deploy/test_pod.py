"""The commands of the manifests run as in a pod, with the variables of the manifests.

As the first process of a namespace, on a file system that is read-only except for the volume, and
without the rights of root. No test builds the image or starts a cluster.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from scripts.support.polling import until
from scripts.support.ports import free_port
from symphony.infrastructure.database.migrations import head_revision
from tests.conftest import MASTER_KEY, SECRET
from tests.deploy.manifests import container_of, pod_of, variables_of
from tests.support.prerequisites import missing
from tests.support.processes import children
from tests.support.server import STARTS_WITHIN, SYMPHONY

pytestmark = pytest.mark.long

NAMESPACES = ("--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
# No right of root but one: to enter the directory of the socket of the tests' PostgreSQL.
NO_RIGHTS = ("--no-new-privs", "--bounding-set=-all,+dac_override", "--inh-caps=-all")
# Every mount becomes read-only, and $TMP a directory in memory as an `emptyDir` is.
READ_ONLY = """
mount --make-rprivate /
cut -d ' ' -f 5 /proc/self/mountinfo | sort -u | grep -Ev '^/(proc|sys|dev)(/|$)' |
    while read -r place; do mount -o remount,bind,ro "$place" || exit 1; done
mount -o remount,bind,ro /dev/shm 2> /dev/null
mount -t tmpfs -o size=64m tmpfs "$TMP"
exec setpriv "$@"
"""


@asynccontextmanager
async def pod(kind: str, database: str, volume: Path, *arguments: str) -> AsyncGenerator[Process]:
    """Run the container of a Deployment or a Job; at the end of the block it is killed."""
    if os.geteuid() != 0:
        missing("only root can run a process in namespaces as in a container")
    await _require_namespaces(volume.parent)
    volume.mkdir()  # noqa: ASYNC240 - in memory
    given = {key: value for key, value in os.environ.items() if not key.startswith("SYMPHONY_")}
    image = {"SYMPHONY_HOST": "0.0.0.0", "SYMPHONY_DATA_DIR": "/var/lib/symphony"}  # noqa: S104
    secrets = {"DATABASE_URL": database, "SECRET_KEY": SECRET, "MASTER_KEY": MASTER_KEY}
    manifest = variables_of(kind, {f"SYMPHONY_{key}": value for key, value in secrets.items()})
    mounted = container_of(kind).get("volumeMounts", [])
    assert [each["mountPath"] for each in mounted] == (["/tmp"] if mounted else [])  # noqa: S108
    process = await asyncio.create_subprocess_exec(
        *("unshare", *NAMESPACES, "sh", "-euc", READ_ONLY, "sh", *NO_RIGHTS),
        *(SYMPHONY, *container_of(kind)["args"], *arguments),
        env={**given, **image, **manifest, "TMP": str(volume), "TMPDIR": str(volume)},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=sys.stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()  # and the kernel ends the namespace
        await process.communicate()


async def _require_namespaces(parent: Path) -> None:
    """Skip where the machine forbids what a pod needs, as most containers do; nothing that could be
    installed changes that."""
    probe = await asyncio.create_subprocess_exec(
        *("unshare", *NAMESPACES, "sh", "-euc", READ_ONLY, "sh", *NO_RIGHTS, "true"),
        env={**os.environ, "TMP": str(parent)},
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    if await probe.wait():
        pytest.skip("this machine allows no namespaces with file systems of their own")


async def first_of(process: Process) -> int:
    """Return the process id, outside, of the first process of a namespace."""

    async def has_started() -> bool:
        return bool(children(process.pid))

    await until(has_started)
    return children(process.pid)[0].pid


async def test_the_job_migrates_and_the_pods_pass_their_probes_and_stop_in_time(
    empty_postgresql: str, tmp_path: Path
) -> None:
    async with pod("Job", empty_postgresql, tmp_path / "job") as job:
        output, _ = await job.communicate()
        assert output.decode() == f"The schema is at {head_revision()}.\n"
        assert job.returncode == 0

    port = free_port()
    async with pod(
        "Deployment", empty_postgresql, tmp_path / "volume", "--port", str(port)
    ) as service:
        container = container_of("Deployment")
        pod_address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=pod_address, trust_env=False) as client:

            async def has_started() -> bool:
                assert service.returncode is None
                try:
                    return (await client.get(path_of(container["startupProbe"]))).is_success
                except httpx.TransportError:
                    return False

            await until(has_started, STARTS_WITHIN)
            for probe in ("readinessProbe", "livenessProbe"):
                answer = await client.get(path_of(container[probe]))
                assert answer.status_code == 200, answer.text
            assert "symphony_build_info" in (await client.get("/metrics")).text
            by_service = {"Host": "symphony"}
            assert (await client.get("/", headers=by_service)).is_success
        os.kill(await first_of(service), signal.SIGTERM)
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        async with asyncio.timeout(pod_of("Deployment")["terminationGracePeriodSeconds"] - pause):
            assert await service.wait() == 0


async def test_sigterm_ends_the_first_process_of_a_container_while_it_starts(
    migrated_postgresql: str, tmp_path: Path
) -> None:
    terminated = 128 + signal.SIGTERM
    for seconds, statuses in ((0, {terminated}), (0.3, {0, terminated}), (0.8, {0, terminated})):
        volume = tmp_path / f"volume-{seconds}"
        async with pod("Deployment", migrated_postgresql, volume, "--port", "0") as service:
            first = await first_of(service)

            # Until the interpreter has started, nothing can handle the signal.
            await until(partial(handles_sigterm, first))
            await asyncio.sleep(seconds)
            os.kill(first, signal.SIGTERM)
            async with asyncio.timeout(5):
                assert await service.wait() in statuses


async def handles_sigterm(pid: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()  # noqa: ASYNC240 - in memory
    (caught,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught & 1 << (signal.SIGTERM - 1))


def path_of(probe: dict[str, dict[str, str]]) -> str:
    return probe["httpGet"]["path"]
