"""The steps of a job, as a generator that yields calls and is sent their results. Pure, no I/O.

`threads` and `tasks` make the calls: one blocks, the other awaits. The generator itself runs under the batch's lock, or
in its event loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from attrs import frozen

from ..clock import Deadline
from ..errors import SubmissionUncertainError, WaveSpeedError
from ..parsing import is_certainly
from ..task import Task
from ..transport.context import Context
from . import log
from .job import PREPARING, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..files.register import Upload
    from ..files.uploads import AsyncUploads, Uploads
    from .attached import Attached
    from .job import Job
    from .journal import Entry, Journal, Note
    from .state import Batch

T = TypeVar("T")

# Yields calls, is sent their results or errors, and returns a T.
Steps: TypeAlias = Generator[Callable[[], Any], Any, T]

# Methods of a client. Those of an async client return awaitables.
Submit: TypeAlias = Callable[[Context, str, dict[str, Any]], object]
Poll: TypeAlias = Callable[[Context, Task], object]
Quote: TypeAlias = Callable[[Context, str, dict[str, Any]], object]
Find: TypeAlias = Callable[[SubmissionUncertainError], object]
# All of them and the client's uploads, in the order in which `Procedure` takes them.
ClientCalls: TypeAlias = "tuple[Submit, Poll, Quote, Find, Callable[[], Uploads | AsyncUploads]]"


@frozen
class UntilStopped(Deadline):
    """A deadline that expires as soon as a batch is stopped."""

    is_stopped: Callable[[], bool]

    def left(self) -> float:
        return 0.0 if self.is_stopped() else super().left()


@frozen(eq=False)
class Procedure:
    """The steps of jobs.

    Attributes:
        batch: Decides what to do next.
        journal: The journal; None without one.
        submit: Sends a submission, without retries.
        poll: Polls a task, without retries.
        quote: Requests the price of a task.
        find: Looks for the task of an uncertain submission.
        uploads: Returns the client's uploads.
    """

    batch: Batch
    journal: Journal | None
    submit: Submit
    poll: Poll
    quote: Quote
    find: Find
    uploads: Callable[[], Uploads | AsyncUploads]

    def begin(self) -> Steps[None]:
        """Open the journal. It is closed again if that is not all that is done."""
        if self.journal is None:
            return
        yield self.journal.prepare
        try:
            self.batch.budget.opened((yield self.journal.spent))
        except BaseException:
            yield self.journal.close
            raise

    def carry_out(self, job: Job, run: Callable[[Steps[Any]], object], wake: Callable[[], object]) -> Steps[None]:
        """Take a job's next step, and all steps that follow at once.

        Args:
            job: The job.
            run: Runs steps: those of `depart`, just before a request is sent.
            wake: Wakes those who wait for the batch. A task that has ended makes room before a database has its end.
        """
        goes_on = True
        while goes_on:
            notes: list[Note] = yield from self._step(job, run)
            if notes and self.journal is not None:
                if job.outcome is not None and self.batch.options.has_database:
                    wake()
                yield partial(self.journal.write, notes)
            goes_on = self.batch.go_on(job)

    def depart(self, job: Job) -> Steps[Deadline | None]:
        """Reserve a job's submission in the journal. Return the latest time to send it; None for no limit."""
        entry = self.batch.departing(job)
        if entry is None:
            return None
        if self.journal is not None:
            entry = yield partial(self.journal.reserve, entry)
            self.batch.reserved(job, entry)
        return entry.leaves_by

    def _step(self, job: Job, run: Callable[[Steps[Any]], object]) -> Steps[list[Note]]:
        if job.stage is Stage.LOOK and self.journal is not None and job.item is not None:
            entry: Entry = yield partial(self.journal.look, job.item)
            return self.batch.looked(job, entry)
        if job.stage is Stage.FIND and job.lost is not None:
            job.looks_again((yield from self._found(job.lost)))
            return []
        try:
            if job.stage is Stage.PRICE:
                quote = partial(self.quote, Context(self._running()), self.batch.options.model, job.fields or {})
                return self.batch.priced(job, job.price or (yield quote))
            if job.attached is not None and job.stage in PREPARING:
                yield from self._prepare(job, job.attached)
                return []
            task: Task = yield self._request(job, lambda: run(self.depart(job)))
        except Exception as error:
            return self.batch.failed(job, error)
        return self.batch.received(job, task)

    def _prepare(self, job: Job, attached: Attached) -> Steps[None]:
        uploads, running = self.uploads(), self._running()
        if job.stage is Stage.READ:
            digests = yield partial(uploads.digests, attached.files, running)
            known: Sequence[Upload] = ()
            if self.journal is not None:
                known = yield partial(self.journal.uploads, list({*digests.values()}))
            uploads.recall(known)
            job.read(attached, self.batch.options.model, digests, known)
            return
        made = yield partial(uploads.urls, attached.files, running, attached.digests)
        if self.journal is not None:
            yield partial(self.journal.uploaded, list({*made.values()}))
        job.uploaded(attached, made)

    def _found(self, error: SubmissionUncertainError) -> Steps[list[Task]]:
        try:
            found: list[Task] = yield partial(self.find, error)
        except WaveSpeedError as trouble:
            log.not_looked_for(error, trouble)
            return []
        return [task for task in found if is_certainly(task, error)]

    def _request(self, job: Job, departure: Callable[[], object]) -> Callable[[], object]:
        # One attempt each: the batch itself decides what to retry.
        if job.wait is None:
            context = Context(tries=1, departure=departure, body=job.body)
            return partial(self.submit, context, self.batch.options.model, job.fields or {})
        clock = self.batch.clock
        deadline = Deadline(clock, max(job.wait.deadline.at, clock.now()))  # even if its turn came too late
        context = Context(deadline.and_a_last_poll(), tries=1, departure=departure)
        return partial(self.poll, context, job.wait.task)

    def _running(self) -> Deadline:
        return UntilStopped(self.batch.clock, math.inf, lambda: self.batch.stopped)
