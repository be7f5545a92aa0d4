"""Merges that certainly change the target: single files show it, without merging anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symphony.infrastructure.git.integration.changes import Outline
from symphony.infrastructure.git.integration.partial_output import partial_output
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_FILES = 10  # of each change
_MAX_OUTPUT = 16 << 20  # bytes
_MAX_CONTENT = 1 << 18  # bytes of one file
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
    contents = _contents(directory, [file for each in compared.values() for file in each], deadline)
    for commit, each in compared.items():
        directory.program.check_stopped()
        if any(_has_line_of_its_own(file, contents) for file in each):
            found.add(commit)
    return found


def _has_line_of_its_own(file: _File, contents: Mapping[bytes, bytes]) -> bool:
    """Return whether a line is in the commit only; false when it is not known."""
    if any(each not in contents for each in (file.base, file.commit, file.target)):
        return False
    own = frozenset(contents[file.commit].split(b"\n"))
    own = own.difference(contents[file.base].split(b"\n"))
    return bool(own.difference(contents[file.target].split(b"\n")))


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
        contents = () if outline is None else _CONTENT.finditer(outline.beginning)
        for _, content in zip(range(_MAX_FILES), contents, strict=False):
            old, new, path = content.groups()
            if old != new:
                changed.append((commit, _existing(old), _existing(new)))
                questions.append(b"%s:%s\n" % (target_tree.encode(), path))
    output = partial_output(
        *(directory, "cat-file", "--batch-check=%(objectname) %(objectsize)"),
        data=b"".join(questions),
        deadline=deadline,
        max_output=_MAX_OUTPUT,
    )
    files: dict[str, list[_File]] = {}
    answers = output.split(b"\n")[:-1]
    for (commit, old, new), answer in zip(changed, answers, strict=False):
        current, _, size = answer.rpartition(b" ")
        if size == b"missing":
            current = b""
        elif int(size) > _MAX_CONTENT:
            continue
        files.setdefault(commit, []).append(_File(old, new, current))
    return files


def _existing(content: bytes) -> bytes:
    return content if content.strip(b"0") else b""


def _contents(
    directory: PrivateDirectory, files: list[_File], deadline: float
) -> dict[bytes, bytes]:
    """Return the contents by their ids, without those beyond a limit."""
    ids = {each for file in files for each in (file.base, file.commit, file.target) if each}
    contents = {b"": b""}
    if not ids:
        return contents
    output = partial_output(
        *(directory, "cat-file", "--batch"),
        data=b"".join(each + b"\n" for each in ids),
        deadline=deadline,
        max_output=_MAX_OUTPUT,
    )
    position = 0
    while found := _OBJECT.match(output, position):
        directory.program.check_stopped()
        position = found.end()
        if found[2] is not None:
            end = position + int(found[2])
            if end >= len(output):
                break
            if end - position <= _MAX_CONTENT:
                contents[found[1]] = output[position:end]
            position = end + 1
    return contents
