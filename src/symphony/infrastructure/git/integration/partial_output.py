"""Output of git that may end before its end."""

from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import OutOfTime


def partial_output(
    directory: PrivateDirectory,
    *arguments: str,
    data: bytes,
    deadline: float,
    max_output: int,
) -> bytes:
    """Return what git prints before the deadline, a limit in bytes, or an error.

    Raises: Unreadable (refused), Stopped.
    """
    output = bytearray()

    def consume(chunk: bytes) -> None:
        output.extend(chunk)
        if len(output) > max_output:
            del output[max_output:]
            raise OutOfTime

    try:
        directory.stream_with_input(*arguments, data=data, consume=consume, deadline=deadline)
    except OutOfTime:
        pass
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
    return bytes(output)
