"""The commit that is checked out in a repository."""

from datetime import UTC, datetime

from symphony.domain.git.status import Head
from symphony.infrastructure.git.files.decoding import decode
from symphony.infrastructure.git.files.objects import check_loose_object
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_TEXT = 1000  # characters of a commit's subject and author
_COMMIT_FORMAT = "--format=%H%x00%s%x00%an%x00%at%x00%ct"


def head_id(private: PrivateDirectory) -> str | None:
    """Return the commit of HEAD; before the first one, git prints nothing."""
    return private.git("rev-parse", "--revs-only", "HEAD").decode().strip() or None


def read_head(private: PrivateDirectory, commit: str) -> tuple[Head, datetime | None]:
    """Return the commit that is checked out, and when it was created."""
    roots = private.location.roots
    check_loose_object(private.object_directories, commit, roots)
    output = private.git("log", "--no-walk", "--encoding=UTF-8", _COMMIT_FORMAT, commit, "--")
    if not output:  # git compares files with a tree, too
        raise broken("HEAD does not refer to a commit.")
    fields = decode(output.removesuffix(b"\n")).split("\0")
    commit_id, subject, author, authored, committed = fields
    if commit_id != commit:  # HEAD or the branch is at a tag
        check_loose_object(private.object_directories, commit_id, roots)
    head = Head(commit_id, subject[:_MAX_TEXT], author[:_MAX_TEXT], _time(authored))
    return head, _time(committed)


def _time(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
