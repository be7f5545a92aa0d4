"""Keys that are derived from the service's secret."""

from symphony.infrastructure.derived_keys import derive_key


def test_each_purpose_has_its_own_key() -> None:
    keys = {derive_key(secret, purpose) for secret in (b"a", b"b") for purpose in ("c", "d")}
    assert len(keys) == 4
    assert derive_key(b"a", "c") == derive_key(b"a", "c")
