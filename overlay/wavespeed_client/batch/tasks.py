"""The asyncio tasks that run a batch for `AsyncWaveSpeed`. `Batch` decides what they do next.

`threads` does the same for `WaveSpeed`, method by method.
"""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define, field

from .job import PREPARING, Job, Stage
from .options import async_journal_for, async_pulled_from
from .outcome import delivered
from .steps import Procedure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Iterable
    from contextvars import Context

    from .options import AsyncInputs
    from .outcome import Outcome
    from .state import Batch
    from .steps import ClientCalls, Steps


T = TypeVar("T")

# Steps that submit nothing, so they may be cancelled.
ENDED_AT_ONCE = (*PREPARING, Stage.FIND, Stage.POLL)


async def outcomes(
    batch: Batch,
    inputs: AsyncInputs,
    calls: ClientCalls,
    at_work: set[AsyncWorkers],
) -> AsyncGenerator[Outcome]:
    """Async outcomes."""
    workers = AsyncWorkers(batch, inputs, Procedure(batch, async_journal_for(batch.options), *calls))
    await workers.begin()
    at_work.add(workers)
    try:
        while (outcome := await workers.next_outcome()) is not None:
            if batch.options.on_progress is not None:
                with delivered(outcome):
                    await done(batch.options.on_progress(batch.progress()))
            yield outcome
    finally:
        try:
            await workers.end()
        finally:
            at_work.discard(workers)


async def done(result: Awaitable[T] | T) -> T:
    """Return a result; await it first if it is awaitable."""
    value: Any = result
    if hasattr(value, "__await__"):  # much faster than `isinstance` with an abstract class
        value = await value
    found: T = value
    return found


@define(eq=False)
class AsyncWorkers:
    """A batch's asyncio tasks: one pulls inputs, one is the scheduler, and each step under way has one."""

    batch: Batch
    inputs: AsyncInputs
    procedure: Procedure
    _steps: dict[Job, asyncio.Task[None]] = field(init=False, factory=dict[Job, asyncio.Task[None]])
    _own: list[asyncio.Task[None]] = field(init=False, factory=list[asyncio.Task[None]])
    _news: asyncio.Event = field(init=False, factory=asyncio.Event)
    _work: asyncio.Event = field(init=False, factory=asyncio.Event)
    _may_pull: asyncio.Event = field(init=False, factory=asyncio.Event)
    _wakes_at: float = field(init=False, default=math.inf)

    async def begin(self) -> None:
        """Open the journal, and start."""
        await self._done(self.procedure.begin())
        self._own = [_begun(self._guarded(run)) for run in (self._pull, self._schedule)]

    async def next_outcome(self) -> Outcome | None:
        """Wait for the next outcome, and return it; None when there are no more."""
        while True:
            outcome = self.batch.outcome()
            if outcome is not None or self.batch.over:
                self._may_pull.set()
                return outcome
            self._news.clear()
            await self._news.wait()

    async def end(self) -> None:
        """Send nothing more. Return when every submission that was sent has its response."""
        self.batch.stop()
        if asyncio.current_task() in self._steps.values():  # a step cannot wait for itself
            return
        try:
            if self._own[0].get_loop() is asyncio.get_running_loop():  # otherwise its loop was closed
                self._wake()
                await self._wait_for_steps()
        finally:
            self.batch.finish()
            if self.procedure.journal is not None:
                await done(self.procedure.journal.close())

    async def _wait_for_steps(self) -> None:
        """Wait for current submissions and writes. A cancellation cancels these, too, and is raised afterwards."""
        at_once = [step for job, step in self._steps.items() if job.stage in ENDED_AT_ONCE and not job.outcome]
        cut_short = await _ended(self._steps.values(), at_once)
        # Not before: the inputs may be ending the batch themselves, and a cancellation would cut their wait short.
        cut_short = await _ended(self._own, self._own) or cut_short
        if cut_short is not None:
            raise cut_short

    async def _pull(self) -> None:
        pull = async_pulled_from(self.inputs)
        while not (self.batch.all_pulled or self.batch.stopped):
            self._may_pull.clear()
            room = self.batch.room()
            if room:
                await self.batch.clock.await_event(self._may_pull, room)
                continue
            try:
                item = await pull()
            except StopAsyncIteration:
                self.batch.exhausted()
            except (Exception, asyncio.CancelledError) as error:
                self.batch.exhausted(error)
            else:
                self.batch.pull(item)
                self._wake()
                await asyncio.sleep(0)

    async def _schedule(self) -> None:
        while True:
            self._work.clear()
            self._take_steps()
            self._wakes_at = self.batch.due_at()
            await self.batch.clock.await_event(self._work, max(0.0, self._wakes_at - self.batch.clock.now()))

    async def _guarded(self, work: Callable[[], Awaitable[None]], job: Job | None = None) -> None:
        try:
            await work()
        except BaseException as error:
            self.batch.crashed(error)
            if not isinstance(error, Exception):
                raise
        finally:
            if job is not None:
                self._steps.pop(job, None)
            self._wake()

    async def _done(self, steps: Steps[T]) -> T:
        """Run the steps, and make the calls that they yield. Return the result of the steps."""
        try:
            call = next(steps)
            while True:
                try:
                    result = call()
                    if hasattr(result, "__await__"):  # much faster than `isinstance` with an abstract class
                        result = await result
                except BaseException as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(result)
        except StopIteration as end:
            return cast("T", end.value)

    def _wake(self) -> None:
        """Take the steps that are due, and wake the tasks that have something to do now."""
        self._take_steps()
        if self.batch.stopped or self.batch.due_at() < self._wakes_at:
            self._work.set()

    def _take_steps(self) -> None:
        while (job := self.batch.take()) is not None:
            steps = self.procedure.carry_out(job, self._done, self._wake)
            work = self._guarded(partial(self._done, steps), job)
            self._steps[job] = _begun(work, job.context.copy())
        if self.batch.stopped or self.batch.has_outcomes or self.batch.over:
            self._news.set()
        if not self._may_pull.is_set() and (self.batch.stopped or self.batch.room() < math.inf):
            self._may_pull.set()


async def _ended(tasks: Collection[asyncio.Task[None]], at_once: Iterable[asyncio.Task[None]]) -> BaseException | None:
    """Cancel some of the tasks, and wait for all but the current one. If it is cancelled, cancel all and return why."""
    for task in {*at_once} - {asyncio.current_task()}:
        task.cancel()
    cut_short: BaseException | None = None
    while left := {task for task in tasks if not task.done()} - {asyncio.current_task()}:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as error:
            cut_short = error
            for task in left:
                task.cancel()
    return cut_short


def _begun(work: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
    """Return a task that runs work in a context; None for a copy of the current one."""
    # Without the loop's task factory: an eager task (Python 3.12) would begin here, before it is known to `end`, and
    # steps that follow one another at once would nest.
    return asyncio.Task(work, context=context)
