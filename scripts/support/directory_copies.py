"""Directories that are created once, and then written again without the work that it took."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_File = tuple[str, int, bytes]
"""Its path below the directory, mode and content."""


@dataclass(frozen=True, slots=True)
class DirectoryCopy:
    """The folders and regular files below a directory, in memory."""

    folders: tuple[str, ...]
    """Their paths below the directory, each after its parent."""
    files: tuple[_File, ...]

    @classmethod
    def created_by(cls, create: Callable[[Path], object]) -> Self:
        """What `create` puts into an empty directory."""
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            create(directory)
            found = sorted(directory.rglob("*"))
            return cls(
                tuple(str(each.relative_to(directory)) for each in found if each.is_dir()),
                tuple(_read(each, directory) for each in found if each.is_file()),
            )

    def write(self, directory: Path) -> None:
        """Create the folders and files in a directory, which is created if need be.

        Raises: FileExistsError.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for name in self.folders:
            os.makedirs(directory / name, exist_ok=True)
        for name, mode, content in self.files:
            file = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with open(file, "wb") as opened:
                opened.write(content)


def _read(file: Path, directory: Path) -> _File:
    return str(file.relative_to(directory)), file.stat().st_mode & 0o777, file.read_bytes()
