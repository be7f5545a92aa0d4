"""URLs of PostgreSQL: what libpq's parameters, variables and files mean."""

import os
from pathlib import Path

import pytest

from symphony.infrastructure.database.postgresql.address import DatabaseUrlError, PostgresqlAddress
from symphony.infrastructure.database.postgresql.parameters import PARAMETERS
from symphony.infrastructure.database.postgresql.url import parse_postgresql_url
from tests.infrastructure.database.postgresql.certificates import create_certificate
from tests.infrastructure.owners import give_away

CANARY = "canary-that-must-not-be-printed"
# PostgreSQL 17's manual, "Parameter Key Words" of libpq.
OF_MANUAL = """
    host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout
    client_encoding options application_name fallback_application_name keepalives keepalives_idle
    keepalives_interval keepalives_count tcp_user_timeout replication gssencmode sslmode requiressl
    sslnegotiation sslcompression sslcert sslkey sslkeylogfile sslpassword sslcertmode sslrootcert
    sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version ssl_max_protocol_version krbsrvname
    gsslib gssdelegation service target_session_attrs load_balance_hosts
"""


def parse(url: str, **environment: str) -> PostgresqlAddress:
    return parse_postgresql_url(url, environment)


def refusal(url: str, **environment: str) -> str:
    with pytest.raises(DatabaseUrlError) as refused:
        parse(url, **environment)
    return str(refused.value)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_every_parameter_of_libpq_is_known() -> None:
    assert PARAMETERS.keys() == set(OF_MANUAL.split())


def test_every_value_that_has_no_effect_is_refused_by_name() -> None:
    for name, parameter in PARAMETERS.items():
        if parameter.choices or parameter.maximum is not None or parameter.refused:
            assert name in refusal(f"postgresql://h/db?{name}=nonsense")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_the_parts_of_a_url_are_percent_decoded(scheme: str) -> None:
    address = parse(f"{scheme}://%C3%9Cnal%20x:p%40s%2Fs%3A%25%23@db.example.org:5433/a%20%2Fb%3F")
    assert (address.user, address.password(), address.database) == (
        "Ünal x",
        "p@s/s:%#",
        "a /b?",
    )
    assert (address.hosts, address.ports) == (("db.example.org",), (5433,))


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        ("postgresql:///db", (), (5432,)),
        ("postgresql://", (), (5432,)),
        ("postgresql://[::1]:5433/db", ("::1",), (5433,)),
        ("postgresql://[2001:db8::1]/db", ("2001:db8::1",), (5432,)),
        ("postgresql:///db?host=::1", ("::1",), (5432,)),
        ("postgresql://%2Frun%2Fpostgresql:5433/db", ("/run/postgresql",), (5433,)),
        ("postgresql:///db?host=/run/postgresql&port=5433", ("/run/postgresql",), (5433,)),
        ("postgresql://localhost:5433/db?host=/run/x", ("/run/x",), (5433,)),
        ("postgresql://a:1,b,[::1]:2/db", ("a", "b", "::1"), (1, 5432, 2)),
        ("postgresql://a,b/db?port=6000", ("a", "b"), (6000, 6000)),
    ],
)
def test_hosts_are_names_addresses_and_directories(
    url: str, hosts: tuple[str, ...], ports: tuple[int, ...]
) -> None:
    address = parse(url)
    assert (address.hosts, address.ports) == (hosts, ports)


def test_parameters_of_the_query_take_precedence_as_in_libpq() -> None:
    address = parse("postgresql://ada:x@h/db?user=eve&password=y&dbname=other")
    assert (address.user, address.password(), address.database) == ("eve", "y", "other")
    assert parse("postgresql://ada@h").database == "ada"


def test_what_the_service_uses_has_its_effect() -> None:
    address = parse(
        "postgresql://ada@h/db?application_name=a%20b&options=-c%20statement_timeout%3D5s%20-cjit=on"
        "&connect_timeout=7&keepalives=1&keepalives_idle=60&keepalives_interval=5"
        "&keepalives_count=3&tcp_user_timeout=1500&sslmode=require&target_session_attrs=read-write"
    )
    assert address.server_settings["application_name"] == "a b"
    assert address.set_by_options == {"statement_timeout", "jit"}
    assert address.connect_timeout == 7
    keepalives = address.keepalives
    assert (keepalives.enabled, keepalives.idle, keepalives.interval) == (True, 60, 5)
    assert (keepalives.count, keepalives.user_timeout) == (3, 1500)
    assert address.requires_tls
    assert address.arguments()["target_session_attrs"] == "read-write"
    assert not parse("postgresql://h/db?keepalives=0").keepalives.enabled
    assert parse("postgresql://h/db?ssl=true").tls["sslmode"] == "require"
    assert parse("postgresql://h").server_settings == {"application_name": "symphony"}
    fallback = parse("postgresql://h?fallback_application_name=x", PGAPPNAME="y")
    assert fallback.server_settings["application_name"] == "y"


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("nosuch=1", "nosuch"),
        ("work_mem=8MB", "options"),
        ("sslmode=disable&sslmode=require", "sslmode is given twice"),
        ("options", "name=value"),
        ("port=0", "port must be an integer from 1 to 65535"),
        ("port=1,2", "one for each host"),
        ("host=h:5433", "host"),
        ("host=@abstract", "host"),
        ("connect_timeout=1.5", "connect_timeout must be an integer"),
        ("options=-c%20client_encoding%3Dlatin1", "client_encoding"),
        ("application_name=%FF", "UTF-8"),
        ("application_name=%00", "%00"),
        ("sslmode=verify-full", "sslrootcert"),
        ("sslmode=require&sslrootcert=system", "sslmode=verify-full"),
        ("sslnegotiation=direct", "sslmode"),
        ("sslrootcert=/no/such/file&sslmode=verify-ca", "/no/such/file"),
        (f"sslcert={__file__}&sslmode=require", "sslcert"),
        (f"sslrootcert={__file__}&sslmode=require", "sslrootcert"),
        ("service=nosuch", "service"),
        ("ssl=1", "ssl must be true"),
        ("host=a,b,&port=1", "host must be a name"),
        ("host=a,b&port=1,2,3", "port must be one port, or one for each host"),
        (
            "target_session_attrs=primry",
            "target_session_attrs must be any, read-write, read-only, primary, standby or"
            " prefer-standby",
        ),
    ],
)
def test_a_parameter_that_cannot_be_honored_is_refused_by_name(parameters: str, named: str) -> None:
    line = refusal(f"postgresql://ada:{CANARY}@h/db?{parameters}")
    assert named in line
    assert CANARY not in line


@pytest.mark.parametrize("character", ["@", "/", "?", ":1@", "%FF", "\n"])
def test_an_unencoded_password_is_refused_without_repeating_it(character: str) -> None:
    url = f"postgresql://ada:{CANARY}{character}{CANARY}@h/db"
    assert CANARY not in refusal(url)


def test_libpqs_variables_are_defaults() -> None:
    variables = {"PGHOST": "v", "PGPORT": "6000", "PGUSER": "eve", "PGPASSWORD": "x"}
    variables |= {"PGDATABASE": "d", "PGSSLMODE": "require", "PGCONNECT_TIMEOUT": "3"}
    address = parse("postgresql://", **variables)
    assert (address.hosts, address.ports, address.user) == (("v",), (6000,), "eve")
    assert (address.database, address.password(), address.connect_timeout) == ("d", "x", 3)
    assert address.requires_tls
    own = parse("postgresql://ada:y@h:1/db?sslmode=disable", **variables)
    assert (own.hosts, own.ports, own.user, own.password()) == (("h",), (1,), "ada", "y")
    assert not own.requires_tls
    assert "PGCHANNELBINDING" in refusal("postgresql://h", PGCHANNELBINDING="require")


def test_a_service_is_read_from_its_file(home: Path) -> None:
    file = home / ".pg_service.conf"
    file.write_text("# ours\n[other]\nuser=eve\n[mine]\nhost=s\nport = 7000\nuser=ada\n[last]\n")
    for address in (
        parse("postgresql://?service=mine"),
        parse("postgresql://", PGSERVICE="mine", PGUSER="eve"),
    ):
        assert (address.hosts, address.ports, address.user) == (("s",), (7000,), "ada")
    assert parse("postgresql://eve@h?service=mine").user == "eve"
    elsewhere = file.rename(home / "services")
    assert parse("postgresql://?service=mine", PGSERVICEFILE=str(elsewhere)).user == "ada"
    elsewhere.write_text("[mine]\nnosuch=1\n")
    assert "nosuch" in refusal("postgresql://?service=mine", PGSERVICEFILE=str(elsewhere))


def test_a_password_is_found_as_libpq_finds_it(home: Path) -> None:
    file = home / ".pgpass"
    file.write_text(
        "# host:port:database:user:password\nh:5432:db:eve:x\nnonsense\n"
        "h:*:db:ada:a\\:b\\\\c:d\nlocalhost:*:*:ada:socket\n"
    )
    file.chmod(0o600)
    assert parse("postgresql://ada@h/db").password() == "a:b\\c:d"
    assert parse("postgresql://ada@/db?host=/run").password() == "socket"
    assert parse("postgresql://ada@other/db").password() is None
    assert parse("postgresql://ada:own@h/db").password() == "own"
    address = parse("postgresql://eve@h/db")
    file.write_text("*:*:*:*:new\n")  # read again for each connection
    assert address.password() == "new"
    file.chmod(0o644)
    assert address.password() is None
    assert "0600" in refusal(f"postgresql://eve@h/db?passfile={file}")
    assert "PGPASSFILE" in refusal("postgresql://eve@h/db", PGPASSFILE="/no/such/file")


def test_the_key_of_a_client_that_others_can_read_or_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = create_certificate(tmp_path, "ada")
    url = f"postgresql://ada@h/db?sslcert={files.certificate}&sslkey={files.key}"
    assert parse(url).user == "ada"
    for mode in (0o644, 0o640, 0o620):
        files.key.chmod(mode)
        assert refusal(url).startswith(f"sslkey: '{files.key}' must be owned by this user or root")
    files.key.chmod(0o600)
    give_away(files.key, monkeypatch)
    assert "sslkey: " in refusal(url)


def test_a_user_without_a_name_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    assert "user" in refusal("postgresql://h/db")
    assert parse("postgresql://ada@h/db").user == "ada"


def test_the_representation_contains_no_secret() -> None:
    url = f"postgresql://ada:{CANARY}@h/db?sslpassword={CANARY}"
    assert CANARY not in repr(parse(url))
