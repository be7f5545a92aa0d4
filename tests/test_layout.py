"""The sizes of files and folders: what grows beyond them wants to be divided."""

from pathlib import Path

from tests.support.checkout import TOP

MAX_LINES = 420
MAX_MODULES = 20
FOLDERS = ("src", "tests", "scripts", "benchmarks", "alembic")


def source_files() -> list[Path]:
    return [
        file
        for folder in FOLDERS
        for pattern in ("*.py", "*.js")
        for file in (TOP / folder).rglob(pattern)
    ]


def test_no_file_has_more_than_420_lines() -> None:
    sizes = {file: len(file.read_text("utf-8").splitlines()) for file in source_files()}
    assert len(sizes) > 200
    assert {str(file): lines for file, lines in sizes.items() if lines > MAX_LINES} == {}


def test_no_folder_holds_more_than_20_modules() -> None:
    folders = [file.parent for file in source_files() if file.name != "__init__.py"]
    crowded = {str(each): folders.count(each) for each in set(folders)}
    assert {folder: count for folder, count in crowded.items() if count > MAX_MODULES} == {}
