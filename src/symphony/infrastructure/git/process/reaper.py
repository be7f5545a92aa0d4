"""What sees to it that no git outlives a service that was killed."""

import os
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

# It waits for a word, or for the end of whoever could give it. Git has its folder from its
# environment, and what git begins has it as well. Twice, since one may be just about to begin.
_SCRIPT = """
read -r word && exit
end() { kill -s KILL $(grep -lsF -e "$0" /proc/[0-9]*/environ | cut -d / -f 3); }
end
sleep 1
end
"""


class Reaper:
    """A shell that waits until this process has ended, however that happens, and then ends all that
    still works in a folder of it.

    A limit for each git by itself (`timeout`) would be one more program for each. Without `/proc`,
    which only Linux has, it ends nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._shell = Popen(  # noqa: S603 - the operator's shell, a script of ours
            ["sh", "-c", _SCRIPT, str(folder)],  # noqa: S607 - the one that is on the path
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,  # so that it does not end with this process's group
        )

    def dismiss(self) -> None:
        """There is nothing to be ended any more."""
        self._shell.communicate(b"dismissed\n")
