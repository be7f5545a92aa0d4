"""Only allowed remotes are contacted, and git contacts exactly the address that was checked."""

import time
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from symphony.domain.base import new_id
from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.remotes import address as remote_address
from symphony.infrastructure.git.remotes.address import RemoteAddress, Resolver
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from tests.infrastructure.git.factories import NewRemotes
from tests.infrastructure.git.remotes.test_public_addresses import NOT_PUBLIC, PUBLIC
from tests.support.inspections import no_landlock
from tests.support.remotes import Listener, git_backend, http_server, sync_processes
from tests.support.repositories import USER, entries

REPO = new_id()
HOSTILE = (
    # options, other transports, local files
    "-u./program", "--upload-pack=./program", "-oProxyCommand=./program", "ext::./program",
    "ext::sh -c ./program%", "fd::0", "file:///etc", "/etc", "~/.ssh", "./here",
    "git::git://127.0.0.1:{port}/x", "ftp://127.0.0.1:{port}/x", "gopher://127.0.0.1:{port}/x",
    "ssh://-oProxyCommand=.%2Fprogram/x", "ssh://git@-oProxyCommand=x/y", "git@-oProxyCommand=x:y",
    "ssh://127.0.0.1:-1/x", "git@127.0.0.1:-x",
    # lines, control characters, also hidden ones
    "git://127.0.0.1:{port}/x\nhost=other", "git://127.0.0.1:{port}/x%0ahost=other",
    "git://127.0.0.1:{port}/x%00", "http://127.0.0.1:{port}/x\r\nX-Header: 1",
    # users, passwords, other hosts
    "http://ada:s3cret@127.0.0.1:{port}/x", "http://example.org@127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}\\@example.org/x", "git://ada@127.0.0.1:{port}/x",
    # hosts and ports in disguise
    "http://%31%32%37.0.0.1:{port}/x", "http://127.0.0.1%2f:{port}/x",
    "http://[::1%25lo]:{port}/x", "http://[fe80::1%lo]:{port}/x", "http://[127.0.0.1]:{port}/x",
    "http://2130706433:{port}/x", "http://0x7f000001:{port}/x", "http://0x7f.1:{port}/x",
    "http://0177.0.0.1:{port}/x", "http://127.1:{port}/x", "http://127.0.0.1.:{port}/x", "http://127.0.0.1:0/x",
    "git://017700000001:{port}/x", "ssh://git@127.1:{port}/x", "git@0x7f.1:x",
    "http://127。0。0。1:{port}/x", "http://①②⑦.0.0.1:{port}/x", "http://127.0.0.1:{port}:80/x",
    "http://:{port}/x", "http:///x", "http://127.0.0.1:99999/x",
    # hosts that end elsewhere for other programs
    "git://127.0.0.1:{port}?x/y", "git://127.0.0.1:{port}#x/y", "git://127.0.0.1?x:{port}/y",
    "http://127.0.0.1:{port}?x/y", "http://127.0.0.1:{port}#@example.org/y",
    "ssh://git@127.0.0.1:{port}?x/y", "git://127.0.0.1:{port}", "git://127.0.0.1:{port};x/y",
)  # fmt: skip


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with every program that could run; each one leaves a mark."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "ssh", "sh", "program"):
        (programs / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/mark\n")
        (programs / name).chmod(0o755)
    monkeypatch.chdir(programs)
    return programs


def with_programs(directory: Path, *others: str) -> SyncLimits:
    """Return limits with which git and ssh are searched in this directory first."""
    search_path = ":".join((str(directory), *others))
    return SyncLimits(program=ProgramOptions(search_path=search_path), refusal_interval=0)


def ran(programs: Path) -> list[str]:
    """Return the programs that left a mark."""
    mark = programs.with_name("mark")
    return mark.read_text().splitlines() if mark.exists() else []


def new_resolving(
    root: Path,
    tmp_path: Path,
    resolver: Resolver,
    *,
    allow_private: bool,
    ports: Collection[int] = (),
    limits: SyncLimits | None = None,
) -> RemoteGit:
    # Without Landlock, with which no program could leave a mark.
    return RemoteGit(
        [root],
        tmp_path / "mirrors",
        allow_private=allow_private,
        ports=ports,
        resolver=resolver,
        limits=limits,
        detect=no_landlock,
    )


@pytest.mark.parametrize("form", ["literal", "name", "one of two"])
async def test_an_address_that_is_not_public_is_not_contacted(
    form: str, root: Path, temporary: Path, tmp_path: Path, programs: Path
) -> None:
    address = ""

    def resolver(host: str) -> list[str]:
        assert host == "git.example.org"
        return [address] if form == "name" else [PUBLIC[0], address]

    remotes = new_resolving(
        root, tmp_path, resolver, allow_private=False, limits=with_programs(programs)
    )
    for address in NOT_PUBLIC:
        literal = f"[{address}]" if ":" in address else address
        host = literal if form == "literal" else "git.example.org"
        for scheme in ("https", "http", "git", "ssh"):
            with pytest.raises(RemoteFailed, match="is unknown, or its address is not public"):
                await remotes.sync(USER, REPO, "/none", f"{scheme}://{host}/engine")
    remotes.close()
    assert ran(programs) == []
    assert entries(temporary) == []


@pytest.mark.parametrize("form", ["literal", "name"])
async def test_an_address_of_this_machine_is_refused_like_a_private_one(
    form: str,
    silent: Listener,
    root: Path,
    temporary: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An address on the internet can be one of this machine, with services for itself only."""

    def always(_address: object) -> bool:
        return True

    monkeypatch.setattr(remote_address, "is_public", always)
    remotes = new_resolving(
        root,
        tmp_path,
        lambda _: ["8.8.8.8", "127.0.0.1"],
        allow_private=False,
        ports=[silent.port],
        limits=SyncLimits(time_limit=5, refusal_interval=0),
    )
    host = "127.0.0.1" if form == "literal" else "git.example.org"
    with pytest.raises(RemoteFailed, match="public addresses of other machines only"):
        await remotes.sync(USER, REPO, "/none", f"git://{host}:{silent.port}/engine")
    remotes.close()
    assert silent.connections == 0
    assert entries(temporary) == []


@pytest.mark.long
async def test_users_cannot_find_out_which_names_the_services_own_network_has(
    root: Path, temporary: Path, tmp_path: Path
) -> None:
    """Text and time are the same for a name that exists and for one that does not."""

    def resolver(host: str) -> list[str]:
        if host.startswith("no"):
            raise OSError
        return ["10.0.0.7"]

    limits = SyncLimits(refusal_interval=0.2)
    remotes = new_resolving(root, tmp_path, resolver, allow_private=False, limits=limits)
    details = set[str]()
    for host in ("wiki.internal", "no.internal"):
        started = time.monotonic()
        with pytest.raises(RemoteFailed) as failed:
            await remotes.sync(USER, REPO, "/none", f"https://{host}/engine")
        assert time.monotonic() - started >= 0.2
        details.add(failed.value.detail)
    assert len(details) == 1
    remotes.close()
    assert entries(temporary) == []


@pytest.mark.parametrize(
    ("url", "usual"),
    [
        ("https://git.example.org:8443/e", 443),
        ("https://git.example.org:80/e", 443),
        ("http://git.example.org:6379/e", 80),
        ("git://git.example.org:22/e", 9418),
        ("ssh://git@git.example.org:2222/e", 22),
    ],
)
async def test_a_port_that_is_not_usual_must_be_allowed_by_the_operator(
    url: str, usual: int, root: Path, temporary: Path, tmp_path: Path, programs: Path
) -> None:
    limits = with_programs(programs)
    port = RemoteAddress.parse(url).effective_port
    for ports, allow_private, is_allowed in (
        ([], False, False),
        ([port + 1], False, False),
        ([port + 1, port], False, True),
        ([], True, True),
    ):
        remotes = new_resolving(
            root,
            tmp_path,
            lambda _: [PUBLIC[0]],
            allow_private=allow_private,
            ports=ports,
            limits=limits,
        )
        with pytest.raises(RemoteFailed) as failed:  # the stand-in for git is no git
            await remotes.sync(USER, REPO, "/none", url)
        remotes.close()
        refusal = f"contacts port {usual}; the operator can allow others"
        assert (refusal in failed.value.detail) is not is_allowed
        assert (ran(programs) != []) is is_allowed
    assert entries(temporary) == []


@pytest.mark.parametrize(
    "url",
    [
        *("https://h.example/e", "https://h.example:443/e", "http://h.example:080/e"),
        *("git://h.example:9418/e", "ssh://h.example:22/e", "git@h.example:e"),
    ],
)
def test_the_usual_port_may_be_written_or_not(url: str) -> None:
    RemoteAddress.parse(url).require_port(())


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://git.example.org/ada/engine", True),
        ("https://ada:s3cret@Git.Example.org/ada/engine.git/", True),
        ("https://git.example.org:443/ada/engine", True),
        ("https://git.example.org:8443/ada/engine", False),
        ("git@git.example.org:ada/engine.git", True),
        ("ssh://git@git.example.org:2222/ada/engine", True),
        ("https://git.example.org/eve/engine", False),
        ("https://example.org/ada/engine", False),
        ("file:///ada/engine", False),
        (".", False),
    ],
)
def test_a_remote_is_recognized_by_host_and_path_over_any_protocol(
    url: str, *, is_same: bool
) -> None:
    address = RemoteAddress.parse("https://git.example.org/ada/engine.git")
    assert address.is_same_remote(url) == is_same


@pytest.mark.parametrize("url", HOSTILE)
async def test_a_hostile_url_runs_no_program_and_contacts_no_server(
    url: str, silent: Listener, new_remotes: NewRemotes, programs: Path
) -> None:
    remotes = new_remotes(with_programs(programs))
    with pytest.raises(RemoteFailed):
        await remotes.sync(USER, REPO, "/none", url.format(port=silent.port))
    assert ran(programs) == []
    assert silent.connections == 0
    assert sync_processes() == []


@pytest.mark.parametrize("found", [[], ["not an address"]])
async def test_an_unknown_host_is_reported(
    found: list[str], root: Path, temporary: Path, tmp_path: Path
) -> None:
    def resolver(host: str) -> list[str]:
        if host.startswith("no"):
            raise OSError
        return found

    remotes = new_resolving(
        root, tmp_path, resolver, allow_private=True, limits=SyncLimits(refusal_interval=0)
    )
    for host in ("git.example.org", "no.example.org"):
        with pytest.raises(RemoteFailed, match="The host of the remote is unknown"):
            await remotes.sync(USER, REPO, "/none", f"git://{host}/engine")
    remotes.close()
    assert entries(temporary) == []


@pytest.mark.parametrize("name", ["git.symphony.invalid", "GIT.Symphony.invalid", "1.a-b.invalid"])
@pytest.mark.parametrize("scheme", ["git", "http"])
async def test_git_contacts_the_checked_address_even_when_the_name_resolves_to_another_one_later(
    scheme: str, name: str, root: Path, temporary: Path, tmp_path: Path
) -> None:
    """No resolver knows such a name (RFC 6761, section 6.4), so git cannot have resolved it."""
    Repository.with_commits(tmp_path / "served/engine", "file")
    resolved: list[str] = []
    hosts: list[str] = []

    def resolver(host: str) -> list[str]:
        resolved.append(host)
        return ["127.0.0.1"] if len(resolved) == 1 else ["192.0.2.1"]

    backend = git_backend(tmp_path / "served")

    def answer(request: BaseHTTPRequestHandler) -> None:
        hosts.append(request.headers["host"])
        backend(request)

    remotes = new_resolving(root, tmp_path, resolver, allow_private=True)
    with git_daemon(tmp_path / "served") if scheme == "git" else http_server(answer) as address:
        port = address.rpartition(":")[2]
        state = await remotes.sync(USER, REPO, "/none", f"{scheme}://{name}:{port}/engine/.git")
    remotes.close()
    expected = name.lower()
    assert resolved == [expected]
    assert set(state.branches) == {"main"}
    assert set(hosts) <= {f"{expected}:{port}"}
    assert entries(temporary) == []


async def test_ssh_contacts_the_checked_address_and_uses_nothing_of_the_services_user(
    root: Path, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for ssh records its arguments and its environment."""
    stand_in = tmp_path / "programs/ssh"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/called\nenv >> {stand_in.parent}/env\n'
    )
    stand_in.chmod(0o755)
    for name in (
        "SSH_AUTH_SOCK",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "KRB5CCNAME",
        "GIT_SSH",
        "GIT_ASKPASS",
    ):
        monkeypatch.setenv(name, "/s3cret")
    remotes = new_resolving(
        root,
        tmp_path,
        lambda _: ["192.0.2.7"],
        allow_private=True,
        limits=with_programs(stand_in.parent, "/usr/bin", "/bin"),
    )
    for url, last in (
        ("git@git.example.org:ada/engine.git", "git-upload-pack 'ada/engine.git'"),
        ("ssh://git@git.example.org:2222/ada/it's", "git-upload-pack '/ada/it'\\''s'"),
    ):
        with pytest.raises(RemoteFailed):
            await remotes.sync(USER, REPO, "/none", url)
        called = (tmp_path / "called").read_text().splitlines()
        assert "HostName=192.0.2.7" in called
        assert called[:2] == ["-F", "/dev/null"]
        assert called[-2:] == ["git@git.example.org", last]
        assert ("2222" in called) == ("2222" in url)
    remotes.close()
    environment = stand_in.with_name("env").read_text()
    assert "s3cret" not in environment
    assert "HOME=/dev/null\n" in environment
    assert entries(temporary) == []


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("HTTPS://Git.Example.org/Ada?x=1#y", "https://git.example.org/Ada?x=1#y"),
        ("https://git.example.org:8443/e", "https://git.example.org:8443/e"),
        ("http://[2001:DB8::1]:80/e", "http://[2001:db8::1]:80/e"),
        ("git://git.example.org/~ada/e", "git://[2001:db8::7]/~ada/e"),
        ("git@git.example.org:~/e", "git@git.example.org:~/e"),
        ("ssh://git.example.org/~ada/e", "ssh://git.example.org/~ada/e"),
    ],
)
def test_git_gets_a_url_that_can_be_parsed_in_one_way_only(value: str, url: str) -> None:
    assert RemoteAddress.parse(value).url(ip_address("2001:db8::7")) == url
