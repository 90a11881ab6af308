"""The CPU time and memory that the calling process has used."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def stopwatch() -> Callable[[], dict[str, float]]:
    """Return a function that returns the seconds since now: the CPU time of all threads, and the wall time."""
    cpu, began = time.process_time(), time.perf_counter()
    return lambda: {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - began}


def memory() -> int:
    """Return the bytes that this process uses; on systems without /proc, the most that it has used."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
