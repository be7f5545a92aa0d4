"""Secret files: created once, by one process, and readable by their owner only."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from symphony.infrastructure.derived_keys import KEY_BYTES, new_key
from symphony.infrastructure.secret_files import load_or_create, replace

PROGRAM = """
import sys
from pathlib import Path
from symphony.infrastructure.derived_keys import new_key
from symphony.infrastructure.secret_files import load_or_create
print("ready", flush=True)
sys.stdin.readline()
print(load_or_create(Path(sys.argv[1]), new_key).hex())
"""


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        keys = [load_or_create(tmp_path / name, new_key) for name in ("one", "other")]
    finally:
        os.umask(former)
    assert [len(key) for key in keys] == [KEY_BYTES, KEY_BYTES]
    assert keys[0] != keys[1]
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one", "other"]


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key = load_or_create(file, new_key)
    assert load_or_create(file, new_key) == key
    file.write_bytes(b"the operator's own key")
    assert load_or_create(file, new_key) == b"the operator's own key"


@pytest.mark.long
def test_eight_processes_that_start_together_get_the_same_content(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "key")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this interpreter
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert keys == {(tmp_path / "key").read_bytes().hex()}
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_file_is_replaced_and_stays_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "key"
    load_or_create(file, new_key)
    replace(file, b"another key")
    assert file.read_bytes() == b"another key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_an_interrupted_replacement_keeps_the_content_and_can_be_repeated(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key = load_or_create(file, new_key)
    with (
        patch("os.fsync", side_effect=OSError("the disk is full")),
        pytest.raises(OSError, match="full"),
    ):
        replace(file, b"another key")
    assert file.read_bytes() == key
    replace(file, b"another key")
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_a_full_disk_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        load_or_create(tmp_path / "key", lambda: b"k" * 32)
    assert list(tmp_path.iterdir()) == []
