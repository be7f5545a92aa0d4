"""The commits without parents, which are the same in all clones of a repository."""

from collections.abc import Collection, Sequence
from hashlib import blake2b

from symphony.domain.machines.checkouts import MAX_ROOT_COMMITS
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.history.memory import Memory


def read_root_commits(reader: Reader, memory: Memory, tips: Collection[str]) -> Sequence[str]:
    """Return the root commits that the tips reach, the first ones in the order of their ids.

    None of a shallow clone: the commits at which it is cut off have no parents there.

    Raises: Unreadable, Stopped, OutOfTime.
    """
    if not tips or (reader.private.path / "shallow").exists():
        return ()

    def read() -> tuple[str, ...]:
        found = set[str]()
        reader.run(("rev-list", "--max-parents=0", "--stdin"), tips, found.add)
        return tuple(sorted(found)[:MAX_ROOT_COMMITS])

    return memory.root_commits.one(blake2b("\n".join(sorted(tips)).encode()).digest(), read)
