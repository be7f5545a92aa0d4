"""The URL of replicas: each host is one."""

import pytest

from symphony.infrastructure.database.postgresql.address import DatabaseUrlError
from symphony.infrastructure.database.replicas.routing import parse_replica_url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///file", "must be postgresql://…"),
        ("postgresql://a/b?target_session_attrs=read-write", "replicas are standbys"),
        ("postgresql://a/b?target_session_attrs=primary", "replicas are standbys"),
        ("postgresql://a/b?sslmode=never", "sslmode must be"),
    ],
)
def test_a_url_that_names_no_replica_is_refused(url: str, message: str) -> None:
    with pytest.raises(DatabaseUrlError, match=message):
        parse_replica_url(url)


def test_each_host_of_a_url_is_a_replica() -> None:
    found = parse_replica_url("postgresql://a:1,b:2/c?target_session_attrs=standby")
    assert [each.authority for each in found] == ["a:1", "b:2"]
    assert {each.target_session_attrs for each in found} == {"standby"}
