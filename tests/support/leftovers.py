"""Whether a program that was ended has tidied up behind it."""

from pathlib import Path

import psutil


def left_behind(place: Path) -> list[str]:
    """Files and processes of a run that had `place` for its temporary folders."""
    files = [str(each) for each in place.glob("symphony-*")]
    return files + [str(each) for each in psutil.process_iter() if _works_in(each, place)]


def _works_in(process: psutil.Process, place: Path) -> bool:
    try:
        return str(place) in " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:  # gone, or somebody else's
        return False
