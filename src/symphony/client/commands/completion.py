"""Completion of names from the server: in a second, or not at all."""

from collections.abc import Iterator

_WITHIN = 1.0  # seconds
_MAX_NAMES = 200


def complete_workspace(incomplete: str) -> list[str]:
    return _completed("/user-profiles/{}/workspaces", incomplete)


def complete_repo(incomplete: str) -> list[str]:
    return _completed("/user-profiles/{}/repos", incomplete)


def complete_machine(incomplete: str) -> list[str]:
    return _completed("/machines", incomplete)


def _completed(path: str, incomplete: str) -> list[str]:
    """Return the names that begin so; none when there is no login or the server does not answer."""
    from contextlib import suppress
    from itertools import islice

    from symphony.client.errors import ClientError

    names: list[str] = []
    with suppress(ClientError):
        names += islice(_names(path, incomplete), _MAX_NAMES)
    # What a terminal would not show as it is, or a shell would split, is left out.
    return [each for each in names if each.isprintable() and each.startswith(incomplete)]


def _names(path: str, incomplete: str) -> Iterator[str]:
    from symphony.client.command import signed_in
    from symphony.client.documents import children, text
    from symphony.client.resources import get

    connection, profile = signed_in(within=_WITHIN)
    query = {"limit": str(_MAX_NAMES), "sort": "name"} | ({"q": incomplete} if incomplete else {})
    with connection:
        page = get(connection, path.format(profile.user_profile_id), query)
    for each in children(page, "items"):
        yield text(each, "name")
