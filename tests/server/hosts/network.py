"""Machines in one: network namespaces, and cables between them that can be pulled.

Nothing of it reaches the network of the machine that runs the tests. A namespace ends with its
process, which ends with that of the tests.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

import pytest

from scripts.support.namespaces import inside
from tests.support.prerequisites import missing

# Debian has it where only root looks for programs.
_IP = shutil.which("ip", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
_CLONE_NEWNET = 0x40000000
_SWITCH = "switch"


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """A namespace with a network of its own, at first without any cable."""

    name: str
    pid: int
    """The process that keeps the namespace."""

    @property
    def namespace(self) -> str:
        return f"/proc/{self.pid}/ns/net"

    def become_switch(self, address: str) -> None:
        """Have a switch, into which others plug their cables, and be at an address of its network.

        The address has the length of the network's prefix.
        """
        self.ip("link", "add", "name", _SWITCH, "type", "bridge")
        self.ip("address", "add", address, "dev", _SWITCH)
        self.ip("link", "set", _SWITCH, "up")

    def plug_into(self, switch: "Machine", address: str) -> None:
        """Be at an address of a switch's network."""
        own, other = f"at-{switch.name}", f"to-{self.name}"
        pair = ("name", other, "type", "veth", "peer", "name", own, "netns", str(self.pid))
        switch.ip("link", "add", *pair)
        switch.ip("link", "set", other, "master", _SWITCH, "up")
        self.ip("address", "add", address, "dev", own)
        self.ip("link", "set", own, "up")

    def pull_cable(self, switch: "Machine") -> None:
        """Lose the network of a switch. All packets are dropped; nothing is refused or closed."""
        switch.ip("link", "set", f"to-{self.name}", "down")

    def plug_again(self, switch: "Machine") -> None:
        switch.ip("link", "set", f"to-{self.name}", "up")

    @contextmanager
    def entered(self) -> Generator[None]:
        """Have this thread, with what it starts, be here during the block."""
        with Path("/proc/thread-self/ns/net").open() as own, Path(self.namespace).open() as here:
            _enter(here.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def ip(self, *arguments: str) -> None:
        """Run `ip` here."""
        command = [*inside(self.namespace), str(_IP), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode and arguments[:2] == ("link", "add"):
            pytest.skip(f"this machine has no virtual networks: {done.stderr.strip()}")
        assert not done.returncode, (arguments, done.stderr)


@contextmanager
def machines(*names: str) -> Generator[list[Machine]]:
    """Machines without cables; they end with the block."""
    if os.geteuid() != 0:
        missing("only root can create network namespaces")
    if _IP is None:
        missing("ip is not on the path: apt-get install iproute2")
    with ExitStack() as stack:
        yield [stack.enter_context(_machine(name)) for name in names]


@contextmanager
def _machine(name: str) -> Generator[Machine]:
    """A process that ends when its input is closed, also by the end of this process."""
    command = ("unshare", "--net", "cat")
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as one:  # noqa: S603
        assert one.stdin is not None
        assert one.stdout is not None
        assert one.stderr is not None
        try:
            one.stdin.write(b"\n")
            one.stdin.flush()
            has_started = one.stdout.readline() == b"\n"
        except BrokenPipeError:
            has_started = False
        if not has_started:
            said = one.stderr.read().decode().strip()
            pytest.skip(f"this machine allows no network namespaces: {said}")
        machine = Machine(name, one.pid)
        machine.ip("link", "set", "lo", "up")
        yield machine


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
