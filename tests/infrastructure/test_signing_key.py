"""The signing key: made once, whoever comes first, and read by its owner only."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from symphony.infrastructure.signing_key import KEY_BYTES, derived, load_or_create

PROGRAM = """
import sys
from pathlib import Path
from symphony.infrastructure.signing_key import load_or_create
print("ready", flush=True)
sys.stdin.readline()
print(load_or_create(Path(sys.argv[1])).hex())
"""


def test_a_new_key_is_random_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        keys = [load_or_create(tmp_path / name) for name in ("one", "other")]
    finally:
        os.umask(former)
    assert [len(key) for key in keys] == [KEY_BYTES, KEY_BYTES]
    assert keys[0] != keys[1]
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one", "other"]


def test_a_key_that_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key = load_or_create(file)
    assert load_or_create(file) == key
    file.write_bytes(b"of somebody's own choice")
    assert load_or_create(file) == b"of somebody's own choice"


def test_eight_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
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


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {derived(secret, purpose) for secret in (b"a", b"b") for purpose in ("c", "d")}
    assert len(keys) == 4
    assert derived(b"a", "c") == derived(b"a", "c")
