"""Imports of large modules."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Generator[None]:
    """Import modules in this block without garbage collection.

    Imports produce almost no garbage, and collection takes a third of their time. The imported
    objects live as long as the process, so later collections skip them as well.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
