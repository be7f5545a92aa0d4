"""The variables that Kubernetes sets for a Service called `symphony…` are passed over."""

import pytest

from symphony.config.settings import SettingsError, load_settings

ADDRESSES = ["10.0.0.1", "fd00::1"]


def links(prefix: str, address: str, port: str = "5432", protocol: str = "TCP") -> dict[str, str]:
    """What Kubernetes sets for a port of a Service."""
    host = f"[{address}]" if ":" in address else address
    url = f"{protocol.lower()}://{host}:{port}"
    one = f"{prefix}_PORT_{port}_{protocol}"
    return {
        f"{prefix}_SERVICE_HOST": address,
        f"{prefix}_SERVICE_PORT": port,
        f"{prefix}_SERVICE_PORT_HTTP_API": port,
        f"{prefix}_PORT": url,
        one: url,
        f"{one}_PROTO": protocol.lower(),
        f"{one}_PORT": port,
        f"{one}_ADDR": address,
    }


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("protocol", ["TCP", "UDP", "SCTP"])
@pytest.mark.parametrize(
    "prefix", ["SYMPHONY", "SYMPHONY_DB", "SYMPHONY_DATABASE_URL", "SYMPHONY_2_PORT"]
)
def test_the_variables_of_a_service_are_no_settings(
    prefix: str, protocol: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in links(prefix, address, protocol=protocol).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.port == 8000
    assert settings.database_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYMPHONY_PORT", "abc"),
        ("SYMPHONY_PORT", "tcp://10.0.0.1"),
        ("SYMPHONY_PORT", "http://10.0.0.1:80"),
        ("SYMPHONY_PORTS", "tcp://10.0.0.1:80"),
        ("SYMPHONY_DB_PORT", "5432"),
        ("SYMPHONY_SERVICE_HOST", "db.example.org"),
        ("SYMPHONY_SERVICE_HOST", "db"),
        ("SYMPHONY_SERVICE_PORT", "http"),
        ("SYMPHONY_SERVICE_HOSTS", "10.0.0.1"),
        ("SYMPHONY_DB_PORT_5432_TCP", "5432"),
        ("SYMPHONY_DB_PORT_5432_TCP_PROTO", "http"),
        ("SYMPHONY_DB_PORT_5432_HTTP", "http://10.0.0.1:80"),
        ("symphony_db_service_host", "10.0.0.1"),
        ("SYMPHONY_HOST_SERVICE", "10.0.0.1"),
    ],
)
def test_a_variable_of_another_shape_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load_settings()
