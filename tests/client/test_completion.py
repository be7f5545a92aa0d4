"""Completion of commands and of names from the server, in the scripts that shells use."""

import pytest

from tests.client.conftest import Client, User
from tests.client.raw_server import raw_server
from tests.client.test_board import signed_in_at


def completed(symphony: Client, words: str, shell: str = "bash") -> list[str]:
    """What `symphony` offers a shell for the last of some words."""
    number = len(words.split(" ")) - 1
    environment = {
        "_SYMPHONY_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(number),
    }
    if shell in {"zsh", "fish"}:
        environment |= {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    finished = symphony.program(**environment)
    assert finished.errors == ""
    return finished.output.split()


pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    "shell", ["bash", *(pytest.param(each, marks=pytest.mark.long) for each in ("zsh", "fish"))]
)
def test_names_of_the_server_are_offered(shell: str, ada: User, signed_in: Client) -> None:
    workspace = ada.workspace("Thesis")
    ada.repo(workspace, "engine", "/a/engine")
    ada.repo(workspace, "evil\u202e", "/a/evil")
    assert "engine" in "".join(completed(signed_in, "symphony path en", shell))
    assert "Thesis" in "".join(completed(signed_in, "symphony board --workspace Th", shell))
    ada.request("POST", "/machines", {"name": "laptop"})
    assert "laptop" in "".join(completed(signed_in, "symphony machines delete la", shell))
    assert "laptop" in "".join(completed(signed_in, "symphony report --machine la", shell))
    assert "evil" not in "".join(completed(signed_in, "symphony path ev", shell))


def test_commands_are_offered_without_a_login(symphony: Client) -> None:
    assert completed(symphony, "symphony who") == ["whoami"]
    assert completed(symphony, "symphony path en") == []


def test_a_server_that_does_not_answer_offers_nothing(symphony: Client) -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\n" * 1000, drip=0.05) as server:
        signed_in_at(server, symphony.environment)
        assert completed(symphony, "symphony path en") == []
