"""Merges that certainly change the target: single files show it, without merging anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symphony.infrastructure.git.history.changes import Outline
from symphony.infrastructure.git.history.partial_output import partial_output
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_FILES = 10  # of each change
_MAX_OUTPUT = 32 << 20  # bytes
# A file with other contents: the ids of both, and a path that is not quoted. git would take a path
# that begins with dots for a relative one.
_CONTENT = re.compile(
    rb"^:\d{6} \d{6} ([0-9a-f]+) ([0-9a-f]+) \w+\t([^\"\n.][^\n]*)$", re.MULTILINE
)
# What git prints before the content of an object; it does not have the commits of submodules.
_OBJECT = re.compile(rb"([0-9a-f]+) (?:missing|\w+ (\d+))\n")


@dataclass(frozen=True, slots=True)
class _File:
    """The ids of a file's contents: in the merge base, the commit and the target; empty when there
    is no such file."""

    base: bytes
    commit: bytes
    target: bytes


def find_certain_effects(
    directory: PrivateDirectory,
    target_tree: str,
    outlines: Mapping[str, Outline | None],
    deadline: float,
) -> set[str]:
    """Return the commits that would change the target if they were merged.

    That is so when a commit changes a file which the target has as the merge base has it, or adds a
    line which the same file of the target does not have: a merge keeps this change, or has a
    conflict. The others may change it, too. Raises: Unreadable (refused), Stopped.
    """
    files = _files(directory, target_tree, outlines, deadline)
    found = {
        commit for commit, each in files.items() if any(file.base == file.target for file in each)
    }
    compared = {
        commit: [file for file in each if file.commit and file.target not in {b"", file.commit}]
        for commit, each in files.items()
        if commit not in found
    }
    lines = _lines(directory, [file for each in compared.values() for file in each], deadline)
    for commit, each in compared.items():
        directory.program.check_stopped()
        for file in each:
            base, own, target = (
                lines.get(content) if content else frozenset[bytes]()
                for content in (file.base, file.commit, file.target)
            )
            if base is not None and own is not None and target is not None and own - base - target:
                found.add(commit)
                break
    return found


def _files(
    directory: PrivateDirectory,
    target_tree: str,
    outlines: Mapping[str, Outline | None],
    deadline: float,
) -> dict[str, list[_File]]:
    """Return some of the files whose contents each commit changes."""
    changed: list[tuple[str, bytes, bytes]] = []
    questions: list[bytes] = []
    for commit, outline in outlines.items():
        directory.program.check_stopped()
        contents = () if outline is None else _CONTENT.finditer(outline.exact)
        for _, content in zip(range(_MAX_FILES), contents, strict=False):
            old, new, path = content.groups()
            if old != new:
                changed.append((commit, _existing(old), _existing(new)))
                questions.append(b"%s:%s\n" % (target_tree.encode(), path))
    output = partial_output(
        *(directory, "cat-file", "--batch-check=%(objectname)"),
        data=b"".join(questions),
        deadline=deadline,
        max_output=_MAX_OUTPUT,
    )
    files: dict[str, list[_File]] = {}
    answers = output.split(b"\n")[:-1]
    for (commit, old, new), answer in zip(changed, answers, strict=False):
        current = b"" if answer.endswith(b" missing") else answer
        files.setdefault(commit, []).append(_File(old, new, current))
    return files


def _existing(content: bytes) -> bytes:
    return content if content.strip(b"0") else b""


def _lines(
    directory: PrivateDirectory, files: list[_File], deadline: float
) -> dict[bytes, frozenset[bytes]]:
    """Return the lines of all contents, as far as they are within a limit."""
    contents = {each for file in files for each in (file.base, file.commit, file.target) if each}
    if not contents:
        return {}
    output = partial_output(
        *(directory, "cat-file", "--batch"),
        data=b"".join(content + b"\n" for content in contents),
        deadline=deadline,
        max_output=_MAX_OUTPUT,
    )
    lines: dict[bytes, frozenset[bytes]] = {}
    position = 0
    while found := _OBJECT.match(output, position):
        directory.program.check_stopped()
        position = found.end()
        if found[2] is not None:
            end = position + int(found[2])
            if end >= len(output):
                break
            lines[found[1]] = frozenset(output[position:end].split(b"\n"))
            position = end + 1
    return lines
