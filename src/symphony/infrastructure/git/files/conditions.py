"""Conditions of includes on the git directory (git-config(1), "Conditional includes")."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_KEYWORDS = {"gitdir": re.ASCII, "gitdir/i": re.ASCII | re.IGNORECASE}
_ANY = "**"
_PART = re.compile(r"(?P<stars>\*+)|(?P<any>\?)|\\(?P<escaped>.)|(?P<plain>[^*?\\\[])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of an `includeIf` in a file of `directory`, a path without symbolic links."""

    text: str
    directory: Path

    def holds(self, git_directory: Path) -> bool | None:
        """Return whether it holds for a git directory, whose path has no symbolic links.

        None when the service does not evaluate it: other conditions than `gitdir`, and patterns
        with brackets.
        """
        keyword, _, pattern = self.text.partition(":")
        flags = _KEYWORDS.get(keyword)
        if flags is None:
            return None
        prefix = ""
        if pattern.startswith("~"):
            pattern = _with_real_home(pattern)
        elif pattern.startswith("./"):
            prefix, pattern = str(self.directory), pattern.removeprefix(".")
        elif not os.path.isabs(pattern):
            pattern = f"{_ANY}/{pattern}"
        if pattern.endswith("/"):
            pattern += _ANY
        expression = _expression(pattern)
        if expression is None:
            return None
        whole = re.compile(re.escape(prefix) + expression, flags | re.DOTALL)
        return whole.fullmatch(str(git_directory)) is not None


def _with_real_home(pattern: str) -> str:
    home, slash, rest = pattern.partition("/")
    expanded = os.path.expanduser(home)
    return (os.path.realpath(expanded) if home == "~" else expanded) + slash + rest


def _expression(pattern: str) -> str | None:
    """Translate a pattern in which `*` matches no slash, and `**` does (git's wildmatch.c)."""
    parts = list[str]()
    position = 0
    while position < len(pattern):
        part = _PART.match(pattern, position)
        if part is None:
            return None
        end = part.end()
        if part["stars"]:
            is_whole = pattern[:position][-1:] in {"", "/"} and pattern[end : end + 1] in {"", "/"}
            if len(part["stars"]) == 1 or not is_whole:
                parts.append("[^/]*")
            elif end == len(pattern):
                parts.append(".*")
            else:
                parts.append("(?:.*/)?")
                end += 1
        elif part["any"]:
            parts.append("[^/]")
        else:
            parts.append(re.escape(part["escaped"] or part["plain"]))
        position = end
    return "".join(parts)
