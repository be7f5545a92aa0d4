"""A helper process that kills git processes which would outlive a killed service."""

import os
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

# It waits for a line, or for the end of its input, which comes when the service terminates. The
# environment of git contains the directory, and so does that of every process git starts. The
# search runs twice, because a process may be starting another one during the first.
_SCRIPT = """
read -r line && exit
kill_all() { kill -s KILL $(grep -lsF -e "$0" /proc/[0-9]*/environ | cut -d / -f 3); }
kill_all
sleep 1
kill_all
"""


class Reaper:
    """A shell that waits until this process terminates, in whatever way, and then kills every
    process whose environment contains a given directory.

    A time limit around each git (`timeout`) would be one more process for each. Without `/proc`,
    which only Linux has, it kills nothing.
    """

    def __init__(self, directory: Path) -> None:
        self._shell = Popen(  # noqa: S603 - the operator's shell, and a script of ours
            ["sh", "-c", _SCRIPT, str(directory)],  # noqa: S607 - the one on the search path
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,  # so that a signal to this process's group does not kill it
        )

    def dismiss(self) -> None:
        """Stop the shell; nothing is left to kill."""
        self._shell.communicate(b"dismissed\n")
