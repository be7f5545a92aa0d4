"""Master keys: from the settings, or in a file that may change while a process uses it."""

import base64
import stat
from pathlib import Path
from unittest.mock import patch

import pytest

from symphony.domain.vaults.keys import MasterKeyMissing
from symphony.infrastructure.vaults.master_keys import (
    FixedMasterKeys,
    NotMasterKeys,
    load_or_create_master_keys,
    parse_master_keys,
)

ONE, TWO = b"1" * 32, b"2" * 32


def written(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def test_the_first_key_wraps_and_each_unwraps() -> None:
    keys = FixedMasterKeys([ONE, TWO])
    assert keys.first().key == ONE
    names = [FixedMasterKeys([key]).first().name for key in (ONE, TWO)]
    assert [keys.named(name).key for name in names] == [ONE, TWO]
    with pytest.raises(MasterKeyMissing):
        FixedMasterKeys([ONE]).named(names[1])
    with pytest.raises(MasterKeyMissing, match="SYMPHONY_MASTER_KEY"):
        FixedMasterKeys([]).first()


def test_a_name_and_a_repr_say_nothing_of_a_key() -> None:
    first = FixedMasterKeys([ONE]).first()
    assert ONE[:4] not in first.name
    assert "111" not in repr(first)


def test_keys_are_written_in_base64url_with_commas_between() -> None:
    assert parse_master_keys(written(ONE)) == [ONE]
    assert parse_master_keys(f"{written(ONE)}, {written(TWO).rstrip('=')}") == [ONE, TWO]
    both_marks = bytes([0xFB, 0xFF]) * 16
    assert set("-_") & set(written(both_marks))
    assert parse_master_keys(written(both_marks)) == [both_marks]


@pytest.mark.parametrize(
    "text",
    ["", ",", "secret", written(b"x" * 31), written(b"x" * 33), f"{written(ONE)},", "é" * 43],
)
def test_anything_else_is_no_master_key(text: str) -> None:
    with pytest.raises(NotMasterKeys) as refused:
        parse_master_keys(text)
    assert not str(refused.value)


def test_a_new_file_contains_one_random_key(tmp_path: Path) -> None:
    keys = load_or_create_master_keys(tmp_path / "key")
    assert len(keys.first().key) == 32
    assert load_or_create_master_keys(tmp_path / "key").first() == keys.first()
    assert load_or_create_master_keys(tmp_path / "other").first() != keys.first()


def test_a_file_that_others_can_write_is_no_longer_used_by_a_running_process(
    tmp_path: Path,
) -> None:
    keys = load_or_create_master_keys(tmp_path / "key")
    (tmp_path / "key").chmod(0o660)
    with pytest.raises(MasterKeyMissing, match="must check it"):
        keys.first()
    (tmp_path / "key").chmod(0o600)
    assert keys.first()


def test_a_change_puts_a_new_key_first_and_takes_the_old_one_away_at_its_end(
    tmp_path: Path,
) -> None:
    file = tmp_path / "key"
    running, command = load_or_create_master_keys(file), load_or_create_master_keys(file)
    old = running.first()
    with command.changing():
        new = running.first()
        assert new.key != old.key
        assert running.named(old.name) == old
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert running.first() == new
    assert file.read_text() == f"{written(new.key)}\n"
    with pytest.raises(MasterKeyMissing):
        running.named(old.name)


def test_a_process_that_meets_an_unknown_name_looks_into_the_file(tmp_path: Path) -> None:
    running, command = (load_or_create_master_keys(tmp_path / "key") for _ in range(2))
    with command.changing():
        new = command.first()
    assert running.named(new.name) == new


def test_a_change_that_was_interrupted_is_continued(tmp_path: Path) -> None:
    keys = load_or_create_master_keys(tmp_path / "key")
    old = keys.first()
    change = keys.changing()
    change.__enter__()
    new = keys.first()
    assert change.__exit__(RuntimeError, RuntimeError(), None) is not True
    assert keys.named(old.name) == old
    with keys.changing():
        assert keys.first() == new
        assert keys.named(old.name) == old
    assert keys.first() == new


def test_a_change_that_was_interrupted_leaves_no_keys_about(
    tmp_path: Path,
) -> None:
    file = tmp_path / "key"
    keys = load_or_create_master_keys(file)
    old = keys.first()
    with (
        patch("os.fsync", side_effect=OSError("the disk is full")),
        pytest.raises(OSError, match="full"),
    ):
        keys.changing().__enter__()
    assert keys.first() == old
    with keys.changing():
        pass
    assert {each.name for each in tmp_path.iterdir()} <= {"key", "key.lock"}
    assert written(old.key) not in file.read_text()


def test_a_file_that_is_gone_or_spoiled_is_missed_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "key"
    keys = load_or_create_master_keys(file)
    for content in (b"", b"\xff\xfe", b"not a key\n"):
        file.write_bytes(content)
        with pytest.raises(MasterKeyMissing):
            keys.first()
        with pytest.raises(MasterKeyMissing):
            load_or_create_master_keys(file)
        assert file.read_bytes() == content
    file.unlink()
    with pytest.raises(MasterKeyMissing):
        keys.first()
    assert not file.exists()
