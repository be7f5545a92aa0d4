"""Files of the history that other programs keep outside of it, and copy to a remote themselves."""

from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_LARGE_FILES = ("lfs/objects", "annex/objects")  # of git-lfs and git-annex


def large_files(common: UntrustedDirectory) -> list[str]:
    """Return the directories of other programs that have files of the history."""
    found = list[str]()
    for name in _LARGE_FILES:
        if common.has_directory(name):
            with common.open(*name.split("/")) as directory:
                if any(True for _ in directory.entries()):
                    found.append(f".git/{name}")
    return found
