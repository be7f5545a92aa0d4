"""Records which modules are imported in confined threads, from now on."""

import sys
import threading

recorded_imports = set[str]()


def _record(event: str, arguments: tuple[object, ...]) -> None:
    if event == "import" and threading.current_thread().name == "confined":
        recorded_imports.add(str(arguments[0]))


sys.addaudithook(_record)
