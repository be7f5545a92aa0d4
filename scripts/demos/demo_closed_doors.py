"""Closed doors: what another user of the machine, a hostile repository or a stranger cannot do."""

import sys
import tempfile
from pathlib import Path

from scripts.demos.closed_doors.hostile_repositories import hostile_repositories
from scripts.demos.closed_doors.registration import registration_and_files
from scripts.demos.closed_doors.strangers import (
    guesses_during_an_unlock,
    guesses_from_many_addresses,
)
from scripts.demos.closed_doors.swapped_directories import swapped_directories, without_landlock
from scripts.demos.support.stage import Stage, perform
from symphony.infrastructure.git.confinement.landlock import detect_landlock


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        base = Path(temporary).resolve()
        base.chmod(0o755)
        if detect_landlock() is not None:
            swapped_directories(stage, base / "swaps")
        if sys.platform == "linux":
            without_landlock(stage, base / "without-landlock")
        hostile_repositories(stage, base / "repositories")
        registration_and_files(stage, base / "registration")
        guesses_from_many_addresses(stage)
        guesses_during_an_unlock(stage)


if __name__ == "__main__":
    perform(story)
