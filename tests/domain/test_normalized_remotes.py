"""Addresses of one repository are equal in the form in which remotes are compared."""

import pytest

from symphony.domain.fields import remote_url
from symphony.domain.git.remotes import normalized_remote
from tests.domain.examples import a_repo


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/ada/engine",
        "https://git.example.org/ada/engine.git",
        "https://git.example.org/ada/engine/",
        "https://git.example.org/ada/engine.git/",
        "https://git.example.org//ada/engine",
        "https://GIT.Example.org/ada/engine",
        "https://git.example.org./ada/engine",
        "https://git.example.org:443/ada/engine",
        "https://git.example.org/ada/%65ngine",
        "https://ada:secret@git.example.org/ada/engine",
        "http://git.example.org/ada/engine",
        "http://git.example.org:80/ada/engine",
        "git://git.example.org/ada/engine.git",
        "git://git.example.org:9418/ada/engine",
        "ssh://git.example.org/ada/engine",
        "ssh://git@git.example.org/ada/engine.git",
        "ssh://git@git.example.org:22/ada/engine.git",
        "git+ssh://git@git.example.org/ada/engine.git",
        "git@git.example.org:ada/engine.git",
        "build@Git.Example.Org:/ada/engine/",
        "git.example.org:ada/engine.git",
    ],
)
def test_protocol_user_default_port_case_of_the_host_and_suffix_make_no_difference(
    address: str,
) -> None:
    assert normalized_remote(address) == "git.example.org/ada/engine"


@pytest.mark.parametrize(
    ("address", "normalized"),
    [
        ("https://git.example.org/Ada/Engine", "git.example.org/Ada/Engine"),
        ("https://git.example.org:8443/ada/engine", "git.example.org:8443/ada/engine"),
        ("https://git.example.org:80/ada/engine", "git.example.org:80/ada/engine"),
        ("ssh://git@git.example.org:2222/ada/engine", "git.example.org:2222/ada/engine"),
        ("https://git.example.org/ada/engine.git.git", "git.example.org/ada/engine.git"),
        ("https://git.example.org/ada//engine", "git.example.org/ada//engine"),
        ("https://git.example.org/ada%2Fengine", "git.example.org/ada%2Fengine"),
        ("https://git.example.org/ada%2fengine", "git.example.org/ada%2Fengine"),
        ("https://git.example.org/%ff", "git.example.org/%ff"),
        ("git@git.example.org:ada/%65ngine", "git.example.org/ada/%65ngine"),
        ("git@git.example.org:~/engine", "git.example.org/~/engine"),
        ("ssh://git.example.org/~/engine", "git.example.org/~/engine"),
        ("https://[2001:DB8::1]/x.git", "[2001:db8::1]/x"),
        ("git@[2001:DB8::1]:x.git", "[2001:db8::1]/x"),
        ("git@h:x", "h/x"),
        ("https://example.org", "example.org/"),
    ],
)
def test_case_and_form_of_the_path_and_other_ports_stay(address: str, normalized: str) -> None:
    assert normalized_remote(address) == normalized


@pytest.mark.parametrize(
    "address",
    [
        *("", "x", "/srv/x", "./x", "../x", "~/x", "C:\\x", "C:/x", "file:///srv/x", "https:///x"),
        *("ext::sh -c x", "ftp+x://h/x", "ssh://h:99999/x", "https://[::1/x", "git@host:"),
        *("https://h/x\n", "git@host:x\0", "github.com/ada/engine"),
    ],
)
def test_what_has_no_host_is_no_remote(address: str) -> None:
    assert normalized_remote(address) is None


@pytest.mark.parametrize(
    "address", ["https://h", "git@h:x", "ssh://h/~x", "git://[::1]:9/x", "http://h/%F0%9F/%"]
)
def test_every_address_that_a_repo_can_have_has_this_form(address: str) -> None:
    assert remote_url(address) == address
    assert a_repo(remote_url=address).remote is not None


def test_a_repo_without_an_address_has_no_remote() -> None:
    assert a_repo().remote is None
