"""Kills workers of an engine while they run a stage."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

PAUSE = 0.05


@define(eq=False)
class Killer:
    """A thread that kills a worker each time a certain number of submissions was received.

    Attributes:
        pids: The folder where each worker writes a file with its process id while it works.
        submissions: Returns the number of submissions that were received.
        at: That number for each kill.
        killed: The process ids of the killed workers.
    """

    pids: Path
    submissions: Callable[[], int]
    at: Sequence[int]
    killed: list[int] = field(init=False, factory=list[int])
    _ended: threading.Event = field(init=False, factory=threading.Event)

    def run(self) -> None:
        """Kill workers until `end` is called or all kills are done."""
        while len(self.killed) < len(self.at) and not self._ended.wait(PAUSE):
            if self.submissions() >= self.at[len(self.killed)]:
                self._kill()

    def end(self) -> None:
        """Stop killing."""
        self._ended.set()

    def _kill(self) -> None:
        for path in self.pids.iterdir():
            pid = int(path.name)
            if pid not in self.killed:
                os.kill(pid, signal.SIGKILL)
                self.killed.append(pid)
                return


@contextmanager
def killing(pids: Path, submissions: Callable[[], int], at: Sequence[int]) -> Generator[Killer]:
    """Kill workers while the block runs."""
    killer = Killer(pids, submissions, at)
    thread = threading.Thread(target=killer.run)
    thread.start()
    try:
        yield killer
    finally:
        killer.end()
        thread.join()
