"""The syntax of git's configuration files (git-config(1), "Syntax"; git's config.c).

Read here and not by `git config`: that would be one more program for every repository that is
looked at, and hundreds of them where a whole folder is searched.
"""

import os
import re
from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SKIPPED = re.compile(rb"(?:[ \t\r\n]++|[#;][^\n]*+)*+")
_SECTION = re.compile(rb'\[(?!\])([A-Za-z0-9.-]*+)(?:[ \t\r]++"((?:[^"\\\n]|\\[^\n])*+)")?\]')
_NAME = re.compile(rb"([A-Za-z][A-Za-z0-9-]*+)[ \t]*+(=|\n)")
_QUOTED = rb'"((?:[^"\\\n]|\\[\\"tbn\n])*+)"'
_ESCAPED = rb'\\[\\"tbn\n]'
_PLAIN = rb'[^ \t\r\n"\\#;]++'
_SPACES = rb"[ \t\r]++"
_VALUE = re.compile(
    rb"((?:" + rb"|".join((_SPACES, _QUOTED, _ESCAPED, _PLAIN)) + rb")*+)(?:[#;][^\n]*+)?\n"
)
_PART = re.compile(
    rb"(?P<spaces>" + _SPACES + rb")|" + _QUOTED + rb"|(" + _ESCAPED + rb"|" + _PLAIN + rb")"
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MEANINGS = {b"t": b"\t", b"b": b"\b", b"n": b"\n", b"\n": b""}


class NotConfiguration(Exception):
    """git would not read this either."""


def settings(content: bytes) -> Iterator[tuple[str, str, str | None]]:
    """The settings in a file, in order: section, name and value, which is None where there is none.

    Section and name are in lower case; what is in quotes in a section follows it after a `.`, as it
    was written. All settings below one heading share its text, or a long one would be there often.

    Raises: NotConfiguration.
    """
    if b"\0" in content:
        raise NotConfiguration
    # The end of the file ends a line, also one that a `\` would join with the next.
    text = content.removeprefix(_BYTE_ORDER_MARK).replace(b"\r\n", b"\n") + b"\n\n"
    section = ""
    place = _found(_SKIPPED.match(text)).end()
    while place < len(text):
        header = _SECTION.match(text, place)
        if header:
            section = os.fsdecode(_section_name(header[1], header[2]))
            place = header.end()
        else:
            name = _found(_NAME.match(text, place))
            place = name.end()
            value = None
            if name[2] == b"=":
                written = _found(_VALUE.match(text, place))
                value = os.fsdecode(_unquoted(written[1]))
                place = written.end()
            yield section, os.fsdecode(name[1].lower()), value
        place = _found(_SKIPPED.match(text, place)).end()


def _found(match: re.Match[bytes] | None) -> re.Match[bytes]:
    if match is None:
        raise NotConfiguration
    return match


def _section_name(name: bytes, subsection: bytes | None) -> bytes:
    if subsection is None:
        return name.lower()
    return name.lower() + b"." + _ESCAPE.sub(rb"\1", subsection)


def _unquoted(written: bytes) -> bytes:
    """A value without the spaces around it, its quotes, and the `\\` of what it escapes."""
    value = bytearray()
    end = 0  # of the value, should only spaces follow
    for part in _PART.finditer(written):
        if part["spaces"]:
            value += part["spaces"] if value else b""
        else:
            value += _ESCAPE.sub(_meaning, part[2] or part[3] or b"")
            end = len(value)
    return bytes(value[:end])


def _meaning(escaped: re.Match[bytes]) -> bytes:
    return _MEANINGS.get(escaped[1], escaped[1])
