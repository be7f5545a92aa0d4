"""The syntax of git's configuration files (git-config(1), "Syntax"; git's config.c).

A parser of our own saves a run of `git config` for every inspected repository, which would be
hundreds of processes when a whole directory is searched.
"""

import os
import re
from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"(?:[ \t\r\n]++|[#;][^\n]*+)*+")
_SECTION = re.compile(rb'\[(?!\])([A-Za-z0-9.-]*+)(?:[ \t\r]++"((?:[^"\\\n]|\\[^\n])*+)")?\]')
_NAME = re.compile(rb"([A-Za-z][A-Za-z0-9-]*+)[ \t]*+(=|\n)")
_QUOTED = rb'"((?:[^"\\\n]|\\[\\"tbn\n])*+)"'
_ESCAPED = rb'\\[\\"tbn\n]'
_PLAIN = rb'[^ \t\r\n"\\#;]++'
_SPACES = rb"[ \t\r]++"
_VALUE = re.compile(
    rb"((?:" + rb"|".join((_SPACES, _QUOTED, _ESCAPED, _PLAIN)) + rb")*+)(?:[#;][^\n]*+)?\n"
)
_VALUE_PART = re.compile(
    rb"(?P<spaces>" + _SPACES + rb")|" + _QUOTED + rb"|(" + _ESCAPED + rb"|" + _PLAIN + rb")"
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPES = {b"t": b"\t", b"b": b"\b", b"n": b"\n", b"\n": b""}


class InvalidSyntax(Exception):
    """The file is not a configuration file; git refuses it too."""


def parse_settings(content: bytes) -> Iterator[tuple[str, str, str | None]]:
    """Yield section, name and value of each setting, in order; the value is None without a `=`.

    Section and name are in lower case. A quoted subsection follows its section after a `.`, in its
    original case. All settings of a section share one string: copies of a long one would take much
    memory.

    Raises: InvalidSyntax.
    """
    if b"\0" in content:
        raise InvalidSyntax
    # The end of the file ends a line, even a line that a `\` would join with the next.
    text = content.removeprefix(_BYTE_ORDER_MARK).replace(b"\r\n", b"\n") + b"\n\n"
    section = ""
    position = _require(_BLANK.match(text)).end()
    while position < len(text):
        header = _SECTION.match(text, position)
        if header:
            section = os.fsdecode(_section_name(header[1], header[2]))
            position = header.end()
        else:
            name = _require(_NAME.match(text, position))
            position = name.end()
            value = None
            if name[2] == b"=":
                raw = _require(_VALUE.match(text, position))
                value = os.fsdecode(_unquote(raw[1]))
                position = raw.end()
            yield section, os.fsdecode(name[1].lower()), value
        position = _require(_BLANK.match(text, position)).end()


def _require(match: re.Match[bytes] | None) -> re.Match[bytes]:
    if match is None:
        raise InvalidSyntax
    return match


def _section_name(name: bytes, subsection: bytes | None) -> bytes:
    if subsection is None:
        return name.lower()
    return name.lower() + b"." + _ESCAPE.sub(rb"\1", subsection)


def _unquote(raw: bytes) -> bytes:
    """Remove the spaces around a value, its quotes, and the `\\` of escapes."""
    value = bytearray()
    end = 0  # of the value, if only spaces follow
    for part in _VALUE_PART.finditer(raw):
        if part["spaces"]:
            value += part["spaces"] if value else b""
        else:
            value += _ESCAPE.sub(_unescape, part[2] or part[3] or b"")
            end = len(value)
    return bytes(value[:end])


def _unescape(escape: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(escape[1], escape[1])
