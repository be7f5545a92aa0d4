"""Whether a repository's objects are its own.

git reads objects where they are: copying them would take too long. What it would be led to by links
and alternates has to be allowed as well, since a commit that is shown is read from there.
"""

import os
import stat
from pathlib import Path

from symphony.infrastructure.git.files.folder import Folder
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.files.unreadable import broken, refused

_ALTERNATES = "info/alternates"  # gitrepository-layout(5)
_MAX_ALTERNATES = 1 << 16  # bytes
_MAX_PLACES = 50


def allowed_objects(objects: Path, roots: Roots) -> list[Path]:
    """The places in which the objects are, those of the repository itself first.

    Raises: Unreadable, OSError.
    """
    checked: list[Path] = []
    waiting = [objects]
    while waiting:
        place = waiting.pop()
        if place in checked:
            continue
        if len(checked) == _MAX_PLACES:
            raise broken("Its objects are spread over too many places.")
        checked.append(place)
        waiting += _alternates(place, roots)
    return checked


def check_loose_object(places: list[Path], object_id: str) -> None:
    """Raises: Unreadable when an object whose content will be shown is a link to elsewhere."""
    for place in places:
        with Folder(place) as folder:
            mode = folder.mode(f"{object_id[:2]}/{object_id[2:]}")
        if mode is not None and not stat.S_ISREG(mode):
            raise refused("An object is not a plain file.")


def _alternates(objects: Path, roots: Roots) -> list[Path]:
    """Where else objects are, after a look for links in this place."""
    with Folder(objects) as folder:
        _refuse_links(objects)
        if folder.has_folder("pack"):
            _refuse_links(objects / "pack")
        listed = folder.read(_ALTERNATES, _MAX_ALTERNATES) or b""
    places: list[Path] = []
    for line in listed.split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        if line.startswith(b'"') or b"\0" in line:
            raise refused("The place of its alternate objects is written in an unusual way.")
        place = roots.resolve(objects / os.fsdecode(line), "The place of its alternate objects")
        if place.is_dir():
            places.append(place)
    return places


def _refuse_links(folder: Path) -> None:
    with os.scandir(folder) as entries:
        if any(entry.is_symlink() for entry in entries):
            raise refused("There is a symbolic link among its objects.")
