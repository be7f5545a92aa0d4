"""A wrong command line is refused in one line, with status 2; and what is shown without one."""

from importlib.metadata import version
from pathlib import Path

import pytest

from symphony.config.settings import Settings
from tests.cli.conftest import Symphony, refusal

PORT = "must be an integer from 0 to 65535."
DAYS = "must be an integer from 1 to 36500."
CREATE_TOKEN = ("token", "create", "ada", "--name", "laptop")
TWO_LINES = "two\nlines"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("serve", "--port", "99999"), f"--port: '99999' is invalid; {PORT}"),
        (("serve", "--port", "-1"), f"--port: '-1' is invalid; {PORT}"),
        (("serve", "--port=abc"), f"--port: 'abc' is invalid; {PORT}"),
        (("serve", "--port", ""), f"--port: '' is invalid; {PORT}"),
        (("serve", "--port", TWO_LINES), f"--port: {TWO_LINES!r} is invalid; {PORT}"),
        (
            ("serve", "--workers", "0"),
            "--workers: '0' is invalid; must be an integer from 1 to 64.",
        ),
        (
            ("serve", "--log-format", "xml"),
            "--log-format: 'xml' is invalid; must be 'text' or 'json'.",
        ),
        (
            ("serve", "--host", ""),
            "--host: '' is invalid; must not be empty; omit it to use the default.",
        ),
        (
            ("serve", "--port", "0", "--host", "a" * 64),
            f"--host: '{'a' * 64}' is invalid; must be an address or a host name.",
        ),
        (
            ("serve", "--host", "\udcff"),  # a byte that is not UTF-8
            "--host: '\\udcff' is invalid; must be an address or a host name.",
        ),
        (
            ("serve", "--git-root", "/nonexistent"),
            "--git-root: '/nonexistent' is invalid; must be an existing directory.",
        ),
        (
            ("serve", "--git-root", "/", "--git-root", "~no-such-user/dev"),
            "--git-root: '~no-such-user/dev' is invalid; must be an existing directory.",
        ),
        (
            ("serve", "--git-root", f"/{'a' * 5000}"),
            f"--git-root: '/{'a' * 199}…' is invalid; must be an existing directory.",
        ),
        (
            (*CREATE_TOKEN, "--scope", "foo"),
            "--scope: 'foo' is invalid; must be 'read' or 'write' or 'secrets' or 'report'.",
        ),
        (
            (*CREATE_TOKEN, "--scope", "read", "--scope", "READ"),
            "--scope: 'READ' is invalid; must be 'read' or 'write' or 'secrets' or 'report'.",
        ),
        (
            CREATE_TOKEN,
            "--scope is missing; it must be 'read' or 'write' or 'secrets' or 'report'. See"
            " `symphony token create --help`.",
        ),
        (
            (*CREATE_TOKEN, "--scope", "read", "--expires-in-days", "0"),
            f"--expires-in-days: '0' is invalid; {DAYS}",
        ),
        (
            (*CREATE_TOKEN, "--scope", "read", "--expires-in-days", "soon"),
            f"--expires-in-days: 'soon' is invalid; {DAYS}",
        ),
        (
            ("token", "create", "--scope", "read", "--name", "laptop"),
            "USERNAME is missing. See `symphony token create --help`.",
        ),
        (
            ("user", "create", "ada", "--password-stdin"),
            "--email is missing. See `symphony user create --help`.",
        ),
        (
            ("serve", "--prot", "80"),
            "No such option: --prot (Possible options: --git-root, --host, --port). See `symphony",
        ),
        (("--verbose",), "No such option: --verbose (Possible options: --version). See"),
        (("serve", "-x"), "No such option: -x. See `symphony serve --help`."),
        (
            ("serve", "--port"),
            "Option '--port' requires an argument.",
        ),
        (
            ("serve", "--demo=yes"),
            "Option '--demo' does not take a value.",
        ),
        (
            ("serv",),
            "No such command 'serv'. Did you mean 'serve', 'user'? See `symphony --help`.",
        ),
        (("user", "crate"), "No such command 'crate'. Did you mean 'create'? See `symphony user"),
        (("db", "check", "now"), "Got unexpected extra argument(s) (now). See `symphony db check"),
        (("db", "check", TWO_LINES), "Got unexpected extra argument(s) (two\\x0alines). See"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(
    arguments: tuple[str, ...], line: str, symphony: Symphony
) -> None:
    finished = symphony(*arguments)
    assert finished.status == 2
    assert refusal(finished).startswith(line)


def test_the_variable_is_named_when_the_value_is_the_variables(
    symphony: Symphony, tmp_path: Path
) -> None:
    allowed = "is invalid; must be existing directories, separated by ':'."
    finished = symphony("serve", GIT_ROOTS="/nonexistent")
    assert finished.status == 2
    assert refusal(finished) == f"SYMPHONY_GIT_ROOTS: '/nonexistent' {allowed}"
    finished = symphony("serve", "--host", "::1", PORT="99999")
    assert refusal(finished) == f"SYMPHONY_PORT: '99999' is invalid; {PORT}"
    # An option takes precedence over a variable, also over a wrong one.
    finished = symphony("serve", "--port", "abc", "--git-root", str(tmp_path), PORT="99999")
    assert refusal(finished) == f"--port: 'abc' is invalid; {PORT}"


@pytest.mark.long
def test_a_name_of_a_token_is_refused_by_its_option(symphony: Symphony) -> None:
    created = symphony(
        *("user", "create", "ada", "--email", "ada@example.org", "--password-stdin"),
        stdin="correct horse battery staple\n",
    )
    assert created.status == 0
    finished = symphony("token", "create", "ada", "--name", " ", "--scope", "read")
    assert finished.status == 2
    assert refusal(finished) == (
        "--name: ' ' is invalid; must have at least 1 character other than spaces."
    )


@pytest.mark.parametrize("arguments", [(), ("db",), ("user",), ("token",), ("vault",)])
def test_without_a_command_the_help_is_shown(
    arguments: tuple[str, ...], symphony: Symphony
) -> None:
    shown = symphony(*arguments)
    assert (shown.status, shown.errors) == (0, "")
    assert shown.output.startswith(f"Usage: {' '.join(('symphony', *arguments))} ")
    assert shown == symphony(*arguments, "--help") == symphony(*arguments, "-h")


def test_the_version_is_that_of_the_package(symphony: Symphony) -> None:
    shown = symphony("--version")
    assert (shown.status, shown.output) == (0, f"symphony {version('symphony')}\n")


def test_the_help_of_serve_has_the_default_of_each_setting(symphony: Symphony) -> None:
    shown = " ".join(symphony("serve", "--help", COLUMNS="200").output.split())
    shown_defaults = {
        "host": "--host ADDRESS Address to listen on. [default: {}]",
        "port": "[default: {}] --workers",
        "workers": "[default: {}] --root-path",
        "log_format": "Format of log lines. [default: {}]",
    }
    for setting, text in shown_defaults.items():
        assert text.format(Settings.model_fields[setting].default) in shown
    assert "[default: false]" in shown
    assert "[default: none]" in shown


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("symphony us", {"user"}),
        ("symphony user ", {"create", "delete", "list", "set-password"}),
        ("symphony serve --p", {"--port"}),
        ("symphony serve --log-format ", {"text", "json"}),
        ("symphony token create ada --scope ", {"read", "write", "secrets", "report"}),
    ],
)
def test_a_shell_completes_commands_options_and_values(
    words: str, completed: set[str], symphony: Symphony, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_SYMPHONY_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert set(symphony().output.split()) == completed
