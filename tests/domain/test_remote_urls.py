"""The rule of remote URLs: git must take them for network addresses only."""

import pytest

from symphony.domain import fields
from tests.domain.refusals import refusal


@pytest.mark.parametrize(
    "value",
    [
        "https://example.org/ada/engine.git",
        "https://example.org",
        "http://example.org:8080/x",
        "https://[2001:db8::1]/x.git",
        "https://example.org/~ada/a@b:c",
        "git://example.org/x.git",
        "ssh://example.org/x.git",
        "ssh://git@example.org/x.git",
        "ssh://git@example.org:2222/~ada/x.git",
        "git@example.org:ada/engine.git",
        "git@example.org:/srv/x.git",
        "build-user_1.x@example.org:~/x",
        "https://example.org/" + "a" * (2048 - 20),
    ],
)
def test_a_remote_url_is_kept_as_written(value: str) -> None:
    assert fields.remote_url(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "ssh://git:secret@example.org/x",
        "ssh://git:@example.org/x",
        "ssh://:secret@example.org/x",
        "https://ada:secret@example.org/x",
        "http://:secret@example.org/x",
        "git://ada:secret@example.org/x",
        "ftp://ada:secret@example.org/x",
    ],
)
def test_a_password_in_a_remote_url_is_named_as_the_reason(value: str) -> None:
    assert refusal(fields.remote_url, value) == "password-in-url"


@pytest.mark.parametrize(
    "value",
    [
        # options, also where git would hand a part of it to another program
        "-",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x@example.org:y",
        "ssh://-oProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y",
        "ssh://-oProxyCommand=x@example.org/y",
        "git@-oProxyCommand=x:y",
        "git@example.org:-y",
        # other transports and local files
        "ext::sh -c x",
        "ext::https://example.org/x",
        "https::https://example.org/x",
        "fd::17",
        "git@example.org::x",
        "file:///srv/x",
        "file:/srv/x",
        "/srv/x",
        "./x",
        "~/x",
        "C:\\x",
        "ftp://example.org/x",
        "git+ssh://example.org/x",
        # users and passwords where none may be, or hidden in an escape
        "https://ada@example.org/x",
        "https://@example.org/x",
        "git://ada@example.org/x",
        "ssh://git%3Asecret@example.org/x",
        "git:secret@example.org:x",
        # hosts that are none
        "",
        "https://",
        "https:///x",
        "ssh://git@/x",
        "ssh://example.org",
        "https://-x/y",
        "https://exa mple.org/x",
        "https://example.org/a b",
        "https://example.org\\@evil.org/x",
        "https://example.org:99999/x",
        "https://example.org:0/x",
        "https://[2001:db8::1/x",
        "example.org:x",
        "git@example.org:",
        # hosts that another program reads in another way
        "git://example.org?x/y",
        "git://example.org#x/y",
        "git://example.org",
        "git://example.org:9418",
        "http://example.org?x/y",
        "https://example.org:443?x/y",
        "https://example.org#@example.com/x",
        "ssh://git@example.org?x/y",
        "ssh://git@example.org#x/y",
        "https://example.org;x/y",
        "https://example.org&x/y",
        "https://example.org%2fx/y",
        "https://example.org%23/y",
        "https://ex\u00e4mple.org/y",
        "https://example\u3002org/y",
        "https://example.org./y",
        "https://[2001:db8::1%25lo]/y",
        "git@example.org:a b",
        " https://example.org/x",
    ],
)
def test_what_git_could_take_for_an_option_a_file_or_a_helper_is_no_remote(value: str) -> None:
    assert refusal(fields.remote_url, value) == "not-a-remote"


def test_a_remote_url_has_at_most_2048_characters() -> None:
    assert refusal(fields.remote_url, "https://example.org/" + "a" * (2049 - 20)) == "too-long"


@pytest.mark.parametrize("value", ["https://example.org/\n", "git@example.org:x\r", "\thttps://a"])
def test_a_remote_url_is_one_line(value: str) -> None:
    assert refusal(fields.remote_url, value) == "control-character"
