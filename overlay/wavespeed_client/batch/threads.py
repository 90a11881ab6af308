"""The threads that run a batch for `WaveSpeed`. `Batch` decides what they do next.

`tasks` does the same for `AsyncWaveSpeed`, method by method.
"""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define, field

from ..errors import ConfigurationError
from .job import Job
from .options import journal_for
from .outcome import delivered
from .steps import Procedure

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from .outcome import Outcome
    from .state import Batch
    from .steps import ClientCalls, Steps


T = TypeVar("T")

# Each step takes a thread. A task needs none between its polls.
MOST_WORKERS = 32


def outcomes(
    batch: Batch,
    inputs: Iterator[object],
    calls: ClientCalls,
    at_work: set[Workers],
) -> Generator[Outcome]:
    """Yield the outcomes of a batch as they come. Its threads run as long as this generator.

    Args:
        batch: The batch.
        inputs: The inputs.
        calls: The client's methods that a procedure needs.
        at_work: The client's running batches, which it ends when it is closed.
    """
    workers = Workers(batch, inputs, Procedure(batch, journal_for(batch.options), *calls))
    workers.begin()
    at_work.add(workers)
    try:
        while (outcome := workers.next_outcome()) is not None:
            if batch.options.on_progress is not None:
                with delivered(outcome):
                    batch.options.on_progress(batch.progress())
            yield outcome
    finally:
        try:
            workers.end()
        finally:
            at_work.discard(workers)


@define(eq=False)
class Workers:
    """A batch's threads: the caller's thread pulls inputs, one thread schedules, and a pool takes the steps."""

    batch: Batch
    inputs: Iterator[object]
    procedure: Procedure
    _steps: list[Job] = field(init=False, factory=list[Job])
    _own: set[threading.Thread] = field(init=False, factory=set[threading.Thread])
    _news: threading.Condition = field(init=False)
    _work: threading.Condition = field(init=False)
    _wakes_at: float = field(init=False, default=math.inf)
    _scheduler: threading.Thread = field(init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _employs: bool = field(init=False, default=False)
    _process: int = field(init=False, factory=os.getpid)

    def __attrs_post_init__(self) -> None:
        lock = threading.RLock()
        self._news, self._work = threading.Condition(lock), threading.Condition(lock)
        self._scheduler = threading.Thread(target=self._schedule, name="wavespeed-batch", daemon=True)
        self._pool = ThreadPoolExecutor(MOST_WORKERS, "wavespeed-batch", initializer=self._enter)

    def begin(self) -> None:
        """Open the journal, and start."""
        self._done(self.procedure.begin())
        try:
            self._scheduler.start()
        except RuntimeError as error:
            self._close_journal()
            raise _no_thread(error) from error
        # At its end the program waits for the pool; `end` logs the tasks that are left.
        atexit.register(self.end)

    def next_outcome(self) -> Outcome | None:
        """Wait for the next outcome, and return it; None when there are no more. Pull inputs meanwhile."""
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
        """Send nothing more. Return when every submission has its response, or is very unlikely to get one."""
        if os.getpid() != self._process:
            self._close_journal()  # the threads and the batch belong to the parent process
            return
        journal = self.procedure.journal
        if journal is not None and threading.get_ident() in journal.own_threads():
            self.batch.stop()  # called by garbage collection: the holder of the lock may wait for this thread
            return
        with self._work:
            self.batch.stop()
            self._wake()
        if threading.current_thread() in self._own:  # called by garbage collection, which may run in any thread
            return
        try:
            self._wait_for_steps()
        finally:
            with self._work:
                self.batch.finish()
                left = bool(self._steps)
                self._release()
        if not left:
            self._scheduler.join()
            self._pool.shutdown()
            atexit.unregister(self.end)

    def _wait_for_steps(self) -> None:
        # With a time limit: garbage collection may call `end` while it holds a lock that one of the threads needs. No
        # submission is sent that late, and a response that still comes is written to the journal.
        end = time.monotonic() + self.batch.options.uncertain_after
        with self._news:
            while self._steps and time.monotonic() < end:
                self._news.wait(1.0)

    def _release(self) -> None:
        """Close the journal and the pool, once no step runs any more."""
        if self.batch.stopped and not self._steps:
            self._close_journal()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _close_journal(self) -> None:
        if self.procedure.journal is not None:
            self.procedure.journal.close()

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise ConfigurationError("This batch was started before a fork: only the parent process can continue it.")

    def _pull(self) -> None:
        """Pull inputs while there is room; only one if an outcome is ready, so that a slow input does not delay it."""
        while self._has_room():
            try:
                item = next(self.inputs)
            except StopIteration:
                self.batch.exhausted()
            except Exception as error:
                self.batch.exhausted(error)
            else:
                with self._work:
                    self.batch.pull(item)
                    self._wake()
            if self.batch.has_outcomes:
                return

    def _has_room(self) -> bool:
        with self._news:
            return not self.batch.room()

    def _schedule(self) -> None:
        self._enter()
        try:
            while (job := self._next_job()) is not None:
                self._employ(job)
        except BaseException as error:
            with self._work:
                self.batch.crashed(error)
        finally:
            with self._work:
                self._wake()
                self._release()

    def _next_job(self) -> Job | None:
        """Wait for a job whose step is due, and return it; None when the batch has stopped."""
        with self._work:
            while not self.batch.stopped:
                idle = len(self._steps) < MOST_WORKERS
                job = self.batch.take() if idle else None
                if self.batch.has_outcomes:  # of a job whose time was up
                    self._news.notify()
                if job is not None:
                    self._steps.append(job)
                    return job
                self._wakes_at = self.batch.due_at() if idle else math.inf
                self.batch.clock.wait(self._work, max(0.0, self._wakes_at - self.batch.clock.now()))
        return None

    def _employ(self, job: Job) -> None:
        # Without the lock: the pool has its own lock, and garbage collection may call `end` while it is held.
        try:
            self._pool.submit(self._guarded, job)
            self._employs = True
        except RuntimeError as error:
            # If the system has no more threads, the threads that the pool has take the step later.
            if not self._employs or "start" not in str(error):
                self._steps.remove(job)
                raise _no_thread(error) from error

    def _enter(self) -> None:
        self._own.add(threading.current_thread())

    def _guarded(self, job: Job) -> None:
        try:
            steps = self.procedure.carry_out(job, self._done, self._wake)
            # A copy: the next step may begin in another thread before this one has left the context.
            job.context.copy().run(self._done, steps)
        except BaseException as error:
            with self._work:
                self.batch.crashed(error)
        finally:
            with self._work:
                self._steps.remove(job)
                self._wake()
                self._release()

    def _done(self, steps: Steps[T]) -> T:
        """Run the steps under the lock, and make the calls that they yield without it. Return the steps' result."""
        go_on: Callable[[], Callable[[], Any]] = partial(next, steps)
        while True:
            with self._work:
                try:
                    call = go_on()
                except StopIteration as end:
                    return cast("T", end.value)
            go_on = _made(steps, call)

    def _wake(self) -> None:
        """Wake the threads that have something to do now."""
        if self.batch.stopped or self.batch.has_outcomes or self.batch.over or self.batch.room() < math.inf:
            self._news.notify_all()
        if self.batch.stopped or self.batch.due_at() < self._wakes_at:
            self._work.notify_all()


def _made(steps: Steps[Any], call: Callable[[], object]) -> Callable[[], Callable[[], Any]]:
    """Make a call. Return a function that continues the steps with its result or its error."""
    try:
        result = call()
    except BaseException as error:
        return partial(steps.throw, error)
    return partial(steps.send, result)


def _no_thread(error: RuntimeError) -> ConfigurationError:
    return ConfigurationError(
        f"No thread can be started to run the batch ({error}). If you run the batch in a thread of your own, join that "
        "thread before the program ends."
    )
