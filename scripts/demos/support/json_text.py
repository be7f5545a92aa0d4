"""JSON for a reader: as much on a line as fits, long values shortened with an ellipsis."""

import json
from collections.abc import Sequence
from typing import Any, cast

MORE = "…"
"""A member or item of this name stands for those that are left out."""
MAX_STRING = 44  # characters; a UUID, a date and most addresses fit
MAX_SENTENCES = 240  # characters of a text with spaces, which the terminal wraps
MAX_ITEMS = 4


def json_text(value: object, width: int) -> str:
    """Format a JSON value; a line holds at most `width` characters where the value allows it."""
    return "\n".join(_lines(_shortened(value), width))


def only(value: object, names: Sequence[str]) -> object:
    """Keep these members of an object; of a page, keep them in each of its items."""
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, Any]", value)
    items = members.get("items")
    if isinstance(items, list) and "items" not in names:
        each = cast("list[object]", items)
        return members | {"items": [only(item, names) for item in each]}
    kept = {name: members[name] for name in names if name in members}
    return kept if len(kept) == len(members) else kept | {MORE: MORE}


def _shortened(value: object) -> object:
    if isinstance(value, str):
        longest = MAX_SENTENCES if " " in value else MAX_STRING
        return value if len(value) <= longest else value[: longest - 1] + MORE
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: _shortened(each) for name, each in members.items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        shown = [_shortened(each) for each in items[:MAX_ITEMS]]
        left_out = len(items) - len(shown)
        return [*shown, {MORE: f"{MORE} {left_out} more"}] if left_out else shown
    return value


def _lines(value: object, width: int, prefix: str = "") -> list[str]:
    """The lines of a value, of which the first begins with `prefix`."""
    flat = prefix + _flat(value)
    if len(flat) <= width or not isinstance(value, dict | list) or not value:
        return [flat]
    inner = width - len("  ,")
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        brackets = "{}"
        parts = [
            [MORE] if name == MORE else _lines(each, inner, f"{json.dumps(name)}: ")
            for name, each in members.items()
        ]
    else:
        brackets = "[]"
        parts = [_lines(each, inner) for each in cast("list[object]", value)]
    lines = [prefix + brackets[0]]
    for number, part in enumerate(parts, start=1):
        comma = "," if number < len(parts) else ""
        lines += ["  " + line for line in part[:-1]]
        lines.append("  " + part[-1] + comma)
    return [*lines, brackets[1]]


def _flat(value: object) -> str:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if list(members) == [MORE]:
            return str(members[MORE])
        return f"{{{', '.join(_member(name, each) for name, each in members.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flat, cast('list[object]', value)))}]"
    return json.dumps(value, ensure_ascii=False)


def _member(name: str, value: object) -> str:
    return MORE if name == MORE else f"{json.dumps(name, ensure_ascii=False)}: {_flat(value)}"
