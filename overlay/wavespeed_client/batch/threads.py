"""The threads that carry out a batch for `WaveSpeed`. What they do next is decided by `Batch`."""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from ..errors import ConfigurationError
from ..transport.context import Context
from .outcome import delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ..task import Task
    from .job import Job
    from .outcome import Outcome
    from .state import Batch

    Submit: TypeAlias = Callable[[Context, str, dict[str, Any]], Task]
    Ask: TypeAlias = Callable[[Context, Task], Task]

# A thread has a request under way, or nothing to do: between its requests a task needs none.
MOST_WORKERS = 32

# Seconds for which an end waits beyond the time of a submission, such as for a slow name server. Then a thread is
# left to itself: no submission leaves that late, and an answer that comes is still written to the journal.
MARGIN = 60.0


def outcomes(
    batch: Batch, inputs: Iterator[object], submit: Submit, ask: Ask, at_work: set[Workers]
) -> Generator[Outcome]:
    """The outcomes of a batch, as they come. Its threads run while this does.

    Args:
        batch: The batch.
        inputs: Where its inputs are pulled from.
        submit: Sends a submission, once.
        ask: Asks for a task, once.
        at_work: Holds the workers while there are any, for the client to end them when it is closed.
    """
    batch.open_journal()
    workers = Workers(batch, inputs, submit, ask)
    at_work.add(workers)
    try:
        while (outcome := workers.next_outcome()) is not None:
            with delivered(outcome):
                if batch.options.on_progress is not None:
                    batch.options.on_progress(batch.progress())
            yield outcome
    finally:
        try:
            workers.end()
        finally:
            at_work.discard(workers)


@define(eq=False)
class Workers:
    """A batch's threads. Of those that have nothing to do, one watches the clock and the others sleep."""

    batch: Batch
    inputs: Iterator[object]
    submit: Submit
    ask: Ask
    _threads: list[threading.Thread] = field(init=False, factory=list[threading.Thread])
    _news: threading.Condition = field(init=False)
    _work: threading.Condition = field(init=False)
    _timer: threading.Condition = field(init=False)
    _sleeping: int = field(init=False, default=0)
    _watched_until: float | None = field(init=False, default=None)
    _process: int = field(init=False, factory=os.getpid)

    def __attrs_post_init__(self) -> None:
        lock = threading.RLock()
        self._news, self._work, self._timer = (threading.Condition(lock) for _ in range(3))
        # Daemon threads of an iterator that nobody ends would be killed within a submission.
        atexit.register(self.end)

    # The caller's thread

    def next_outcome(self) -> Outcome | None:
        """The next outcome, waited for; None when there are no more. Inputs are pulled in here."""
        while True:
            self._check_process()
            self._pull()
            with self._news:
                outcome = self.batch.outcome()
                if outcome is not None or self.batch.over:
                    return outcome
                room = self.batch.room()
                if room:
                    self.batch.clock.wait(self._news, room)

    def end(self) -> None:
        """Send nothing more, and return when what was sent has been answered, or will hardly be."""
        if os.getpid() != self._process:
            self.batch.close_journal()  # the threads and the batch are the parent's
            return
        with self._work:
            self.batch.stop()
            self._wake_all()
            # A garbage collection that happens to run in a worker may call this there.
            if threading.current_thread() in self._threads:
                return
        try:
            self._wait_for_threads()
        finally:
            with self._work:
                self.batch.finish()
                if not self._threads:
                    self.batch.close_journal()
                    atexit.unregister(self.end)

    def _wait_for_threads(self) -> None:
        # Not without end: garbage collection may end a batch within a lock that one of its threads needs.
        end = time.monotonic() + self.batch.options.longest_submission + MARGIN
        with self._news:  # an interrupted join would take a thread for ended that still has a submission under way
            while self._threads and time.monotonic() < end:
                self._news.wait(1.0)

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise ConfigurationError("This batch was begun before a fork: its loop goes on in the parent process only.")

    def _pull(self) -> None:
        """Take in inputs while there is room; one at most when an outcome waits, so that no slow input withholds it."""
        while self._has_room():
            try:
                item = next(self.inputs)
            except StopIteration:
                self.batch.exhausted()
            except Exception as error:
                self.batch.exhausted(error)
            else:
                with self._work:
                    if self.batch.stopped:
                        return
                    self.batch.pull(item)
                    self._employ()
            if self.batch.has_outcomes:
                return

    def _has_room(self) -> bool:
        with self._news:
            return not self.batch.room()

    def _employ(self) -> None:
        if len(self._threads) < min(MOST_WORKERS, self.batch.under_way):
            thread = threading.Thread(target=self._run, name="wavespeed-batch", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system has no more; those that run will do
                if not self._threads:
                    raise ConfigurationError(f"No thread can be started to carry out the batch: {error}") from error
            else:
                self._threads.append(thread)
                return
        self._rouse()

    def _rouse(self) -> None:
        """Wake one who has nothing to do; who watches the clock comes last."""
        if self._sleeping:
            self._work.notify()
        else:
            self._timer.notify()

    # A worker's thread

    def _run(self) -> None:
        try:
            while (job := self._next_job()) is not None:
                self._step(job)
        except BaseException as error:
            with self._work:
                self.batch.crashed(error)
        finally:
            with self._work:
                self._threads.remove(threading.current_thread())
                self._wake_all()
                if self.batch.stopped and not self._threads:
                    self.batch.close_journal()

    def _next_job(self) -> Job | None:
        """The job whose step is due, waited for; None when nothing more is to be sent."""
        with self._work:
            while not self.batch.stopped:
                job = self.batch.take()
                if self.batch.has_outcomes:  # for a job that has ended because its time was up
                    self._news.notify()
                if job is not None:
                    if self._watched_until is None or not self.batch.pause():
                        self._rouse()
                    return job
                self._rest()
        return None

    def _rest(self) -> None:
        if self._watched_until is None:
            pause = self.batch.pause()
            self._watched_until = self.batch.clock.now() + pause
            self.batch.clock.wait(self._timer, pause)
            self._watched_until = None
        else:
            self._sleeping += 1
            self._work.wait()
            self._sleeping -= 1

    def _step(self, job: Job) -> None:
        departure = partial(self._departing, job)
        try:
            # Once each: the batch itself decides what is tried again.
            if job.wait is None:
                task = self.submit(Context(tries=1, departure=departure), self.batch.options.model, job.input)
            else:
                context = Context(self.batch.answered_by(job.wait), tries=1, departure=departure)
                task = self.ask(context, job.wait.task)
        except Exception as error:
            with self._work:
                self.batch.failed(job, error)
        else:
            with self._work:
                self.batch.answered(job, task)
        self._tell()

    def _departing(self, job: Job) -> None:
        with self._work:
            self.batch.departing(job)

    def _tell(self) -> None:
        """Wake whom the end of a step concerns."""
        with self._work:
            if self.batch.stopped:
                self._wake_all()
            elif self.batch.has_outcomes or self.batch.over or self.batch.room() < math.inf:
                self._news.notify()
            until = self._watched_until
            if until is not None and self.batch.clock.now() + self.batch.pause() < until:
                self._timer.notify()

    def _wake_all(self) -> None:
        for condition in (self._news, self._work, self._timer):
            condition.notify_all()
