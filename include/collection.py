"""Python's collector of cycles, kept still where what is made holds none, or is kept; and what is free, given back."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY_YOUNG = 10_000
"""Objects made since the last collection from which on going through them once takes more than a millisecond."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the cyclic collector still: records hold no cycles, and it would look at each of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # What others froze stays so; to count it, all of it is walked through, which few young objects are not worth.
            if gc.get_count()[0] > MANY_YOUNG and not gc.get_freeze_count():
                gc.freeze()  # all that was made meanwhile counts as old from here: enabled, it would be gone through at once
                gc.unfreeze()
            gc.enable()


def give_back() -> None:
    """Have the C library give free memory back to the system, where it can: between what is still held it keeps it otherwise."""
    import ctypes  # seldom needed

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
