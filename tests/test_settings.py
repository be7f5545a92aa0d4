"""The `SYMPHONY_*` variables: defaults, valid values, and the refusal of all others."""

import os
from pathlib import Path

import pytest
from platformdirs import user_data_path

from symphony.config.demo import get_demo_settings
from symphony.config.settings import IN_MEMORY, Settings, SettingsError, load_settings

CANARY = "canary-that-must-not-be-seen"


def refusal() -> str:
    """The one line that the present environment is refused with."""
    with pytest.raises(SettingsError) as refused:
        load_settings()
    line = str(refused.value)
    assert "\n" not in line
    return line


SECRET = {"SECRET_KEY", "MASTER_KEY", "DATABASE_URL", "DATABASE_REPLICA_URL", "DEMO_DATABASE_URL"}
DEFAULTS = {
    "host": "127.0.0.1",
    "port": 8000,
    "workers": 1,
    "root_path": "",
    "log_format": "text",
    "data_dir": user_data_path("symphony"),
    "database_url": None,
    "database_pooler": "none",
    "database_replica_url": None,
    "auto_migrate": False,
    "secret_key": None,
    "master_key": None,
    "demo_mode": False,
    "demo_database_url": IN_MEMORY,
    "git_roots": (),
    "git_allow_private_remotes": False,
    "git_remote_ports": (),
    "git_trust_roots": False,
    "git_user_config": False,
    "allowed_hosts": (),
    "trusted_proxies": (),
    "cors_origins": (),
    "registration": "open",
    "access_token_ttl": 3600,
    "max_workspaces_per_user": 50,
    "max_repos_per_workspace": 100,
    "max_vaults_per_workspace": 20,
    "max_entry_bytes_per_vault": 67_108_864,
    "max_entry_bytes_per_user": 67_108_864,
    "max_body_bytes": 1_048_576,
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_is_not_set_has_its_default(name: str) -> None:
    assert getattr(load_settings(), name) == DEFAULTS[name]


def test_every_setting_has_its_default_stated_here() -> None:
    assert set(Settings.model_fields) == set(DEFAULTS)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HOST", "::1", "::1"),
        ("PORT", "0", 0),
        ("PORT", "65535", 65535),
        ("WORKERS", "64", 64),
        ("ROOT_PATH", "", ""),
        ("ROOT_PATH", "/symphony", "/symphony"),
        ("ROOT_PATH", "/a-1._~!$&'()*+,;=:@/...", "/a-1._~!$&'()*+,;=:@/..."),
        ("LOG_FORMAT", "json", "json"),
        ("AUTO_MIGRATE", "true", True),
        ("DEMO_MODE", "true", True),
        ("GIT_REMOTE_PORTS", "", ()),
        ("GIT_REMOTE_PORTS", "2222, 8443,", (2222, 8443)),
        ("REGISTRATION", "closed", "closed"),
        ("REGISTRATION", "first", "first"),
        ("ACCESS_TOKEN_TTL", "1", 1),
        ("ACCESS_TOKEN_TTL", "86400", 86_400),
        ("MAX_WORKSPACES_PER_USER", "1", 1),
        ("MAX_REPOS_PER_WORKSPACE", "1", 1),
        ("MAX_VAULTS_PER_WORKSPACE", "1", 1),
        ("MAX_ENTRY_BYTES_PER_VAULT", "1", 1),
        ("MAX_ENTRY_BYTES_PER_USER", "1", 1),
        ("MAX_BODY_BYTES", "1024", 1024),
    ],
)
def test_a_variable_sets_what_it_names(
    name: str, value: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SYMPHONY_{name}", value)
    assert getattr(load_settings(), name.lower()) == expected


NO_HOST_NAMES = (
    "symphony.example.org:8000",
    "https://symphony.example.org",
    "*example.org",
    "symphony.*.org",
    "*.",
    "a..b",
    "-a.example.org",
    "münchen.example",
    "a b",
    "[::1]:80",
    "x" * 64,
    ".".join(["x" * 63] * 4),
)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "-1", "must be an integer from 0 to 65535"),
        ("PORT", "65536", "must be an integer from 0 to 65535"),
        ("PORT", "http", "must be an integer from 0 to 65535"),
        ("WORKERS", "0", "must be an integer from 1 to 64"),
        ("WORKERS", "65", "must be an integer from 1 to 64"),
        *(
            ("ROOT_PATH", path, "must be a path such as /symphony, with a slash at the beginning")
            for path in ("/", "symphony", "/symphony/", "//a", "/a//b", "/..", "/a/./b", "/a/..")
        ),
        *(
            ("ROOT_PATH", path, "segments are letters, digits and -._~!$&'()*+,;=:@, not . or ..")
            for path in (
                "/a b",
                "/é",
                "/%41",
                "/a?b",
                "/a#b",
                "/a\\b",
                '/"',
                "/<a>",
                "/a\n",
                "\n/a",
            )
        ),
        ("ROOT_PATH", "https://example.org/symphony", "must be a path such as /symphony"),
        ("LOG_FORMAT", "xml", "'text' or 'json'"),
        ("AUTO_MIGRATE", "perhaps", "true or false"),
        ("DEMO_MODE", "", "true or false"),
        ("REGISTRATION", "ajar", "'open' or 'first' or 'closed'"),
        ("ACCESS_TOKEN_TTL", "0", "must be an integer from 1 to 86400"),
        ("ACCESS_TOKEN_TTL", "86401", "must be an integer from 1 to 86400"),
        ("MAX_WORKSPACES_PER_USER", "0", "must be an integer >= 1"),
        ("MAX_REPOS_PER_WORKSPACE", "0", "must be an integer >= 1"),
        ("MAX_VAULTS_PER_WORKSPACE", "0", "must be an integer >= 1"),
        ("MAX_ENTRY_BYTES_PER_VAULT", "0", "must be an integer >= 1"),
        ("MAX_ENTRY_BYTES_PER_USER", "64M", "must be an integer >= 1"),
        ("MAX_BODY_BYTES", "1023", "must be an integer >= 1024"),
        ("SECRET_KEY", "x" * 31, "at least 32 bytes"),
        ("CORS_ORIGINS", "*", "https://app.example.org"),
        *(("ALLOWED_HOSTS", name, "host names without a port") for name in NO_HOST_NAMES),
        *(
            ("TRUSTED_PROXIES", value, "must be addresses or networks, separated by commas")
            for value in (
                "proxy",
                "10.0.0.1/8",
                "10.0.0.0/33",
                "127.0.0.1:80",
                "::1,*",
                "fe80::1%a",
            )
        ),
        *(
            ("GIT_REMOTE_PORTS", ports, "must be ports from 1 to 65535, separated by commas")
            for ports in ("0", "65536", "ssh", "22;80", "-1", "2222,*", "\u0662", "1e3")
        ),
        ("GIT_ROOTS", "/no/such/folder", "existing directories"),
        ("GIT_ROOTS", "~no-such-user/dev", "existing directories"),
        ("DATA_DIR", "~no-such-user/data", "unknown user"),
        ("DATA_DIR", "", "must not be empty"),
        ("HOST", "", "must not be empty"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SYMPHONY_{name}", value)
    line = refusal()
    assert line.startswith(f"SYMPHONY_{name}: ")
    assert allowed in line
    if name not in SECRET:
        assert f"{value!r} is invalid" in line


def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYMPHONY_PROT", CANARY)
    line = refusal()
    assert line.startswith("SYMPHONY_PROT: ")
    assert "SYMPHONY_PORT" in line
    assert CANARY not in line


def test_the_refusal_of_a_short_secret_does_not_contain_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_SECRET_KEY", CANARY)
    assert CANARY not in refusal()


def test_a_secret_is_measured_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_SECRET_KEY", "é" * 16)
    secret = load_settings().secret_key
    assert secret is not None
    assert secret.get_secret_value() == "é" * 16


def test_settings_that_are_printed_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_SECRET_KEY", CANARY * 2)
    monkeypatch.setenv("SYMPHONY_DATABASE_URL", f"postgresql://ada:{CANARY}@127.0.0.1/symphony")
    assert CANARY not in repr(load_settings())


def test_settings_do_not_change_after_they_were_read() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # pyright: ignore[reportAttributeAccessIssue] - which is the point


def test_git_roots_are_separated_by_the_platforms_separator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("work", "play"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SYMPHONY_GIT_ROOTS", os.pathsep.join(["work", str(tmp_path / "play")]))
    assert load_settings().git_roots == (tmp_path / "work", tmp_path / "play")


def test_a_git_root_may_stand_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SYMPHONY_GIT_ROOTS", "~")
    assert load_settings().git_roots == (tmp_path,)


def test_a_git_root_that_is_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "notes"
    file.touch()
    monkeypatch.setenv("SYMPHONY_GIT_ROOTS", os.pathsep.join([str(tmp_path), str(file)]))
    assert "must be existing directories" in refusal()


def test_empty_git_roots_are_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_GIT_ROOTS", "")
    assert load_settings().git_roots == ()


def test_with_git_roots_only_the_first_user_signs_up_unless_the_operator_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMPHONY_GIT_ROOTS", str(tmp_path))
    assert load_settings().registration == "first"
    monkeypatch.setenv("SYMPHONY_REGISTRATION", "open")
    assert load_settings().registration == "open"


def test_without_a_database_the_data_are_in_a_file_of_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SYMPHONY_DATA_DIR", "~/symphony")
    settings = load_settings()
    assert settings.data_dir == tmp_path / "symphony"
    assert settings.store == tmp_path / "symphony/symphony.sqlite3"


def test_demo_mode_leaves_the_real_database_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DATABASE_URL", "postgresql://127.0.0.1/symphony")
    monkeypatch.setenv("SYMPHONY_DEMO_MODE", "true")
    assert load_settings().store == IN_MEMORY


def test_demo_mode_runs_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DEMO_MODE", "true")
    monkeypatch.setenv("SYMPHONY_WORKERS", "2")
    assert refusal() == (
        "SYMPHONY_WORKERS: 2 is not possible in demo mode, which runs in one process; must be 1."
    )


def test_the_demo_settings_are_in_memory_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYMPHONY_DATABASE_URL", "postgresql://127.0.0.1/symphony")
    monkeypatch.setenv("SYMPHONY_DEMO_DATABASE_URL", "sqlite:///somewhere")
    monkeypatch.setenv("SYMPHONY_WORKERS", "4")
    settings = get_demo_settings()
    assert settings.demo_mode
    assert settings.workers == 1
    assert settings.store == IN_MEMORY


def test_the_demo_settings_refuse_what_all_settings_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYMPHONY_PROT", "1")
    with pytest.raises(SettingsError, match=r"^SYMPHONY_PROT: "):
        get_demo_settings()
