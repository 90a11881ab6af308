"""The state of a batch: many inputs for one model. Pure: `threads` and `tasks` do the work.

`Batch` decides what to do next: pull an input, or take the current step of a job. Whoever takes the step reports the
result to the method on the right, writes the returned notes to the journal, and then calls `go_on`. Calls of `Batch`
are made under one lock or in one event loop; the steps themselves and the journal need neither.

    READ     compute the digests of the files in the input             Job.read, failed
    LOOK     look the input up in the journal; record it if it is new  looked
    FIND     look for the task of an uncertain submission, at no cost
    UPLOAD   upload the files                                          Job.uploaded, failed
    PRICE    request the task's price, if there is a limit             priced, failed
    SUBMIT   submit the input, as soon as the throttle allows it       received, failed
    POLL     poll the task                                             received, failed
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from ..clock import Deadline
from ..errors import (
    APIConnectionError,
    ConfigurationError,
    CostLimitError,
    InvalidInputError,
    RateLimitError,
    SubmissionUncertainError,
    TaskTimeoutError,
    WaveSpeedError,
)
from ..task import UNKNOWN_STATUS
from ..waiting.wait import failure
from . import log
from .budget import Budget
from .job import PREPARING, Job, Stage
from .outcome import Outcome
from .tally import Tally
from .throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..catalogue.rows import Price
    from ..clock import Clock
    from ..task import Task
    from ..waiting.wait import Wait
    from .journal import Entry, Note
    from .options import Options
    from .outcome import Progress

# Events after which an input is submitted, and events after which its task may have been started already.
FREE, LOST = ("planned", "refused"), ("submitting", "uncertain")


@define(eq=False)
class Batch:
    """The state of one batch.

    Attributes:
        options: The arguments of `run_many`.
        clock: The clock.
        attend: Makes the wait for a task, with a deadline.
        stopped: Whether to send nothing more.
        all_pulled: Whether there are no more inputs.
        budget: The budget.
    """

    options: Options
    clock: Clock
    attend: Callable[[Task, float | None, Deadline], Wait]
    stopped: bool = field(init=False, default=False)
    all_pulled: bool = field(init=False, default=False)
    _throttle: Throttle = field(init=False)
    _tally: Tally = field(init=False)
    budget: Budget = field(init=False)
    _fresh: deque[Job] = field(init=False, factory=deque[Job])
    _ready: list[Job] = field(init=False, factory=list[Job])
    _due: list[tuple[float, Job]] = field(init=False, factory=list[tuple[float, Job]])
    _watching: set[Job] = field(init=False, factory=set[Job])
    _ended: deque[Job] = field(init=False, factory=deque[Job])
    _jobs: set[Job] = field(init=False, factory=set[Job])
    _pulled: int = field(init=False, default=0)
    _input_error: BaseException | None = field(init=False, default=None)
    _crash: BaseException | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._throttle = Throttle(self.options.max_in_flight, self.options.max_per_minute)
        self._tally = Tally(self.options.max_in_flight)
        self.budget = Budget(self.options.max_cost, self.options.budget)

    # What comes in

    def room(self) -> float:
        """Return the seconds until another input may be pulled; infinite while something else must happen first."""
        own = len(self._jobs) - len(self._watching)  # inputs that other runs are submitting do not count
        ahead = self.options.ahead
        before = own - self._throttle.in_flight - ahead
        if self.all_pulled or self.stopped or own + len(self._ended) >= self.options.max_in_flight + ahead:
            return math.inf
        return self._throttle.wait(self.clock.now(), before) if before >= 0 else 0.0

    def pull(self, item: object) -> None:
        """Add an input; do nothing once the batch has stopped."""
        if self.stopped:
            return
        job = Job(self._pulled, item, self.options.name_of(self._pulled))
        self._pulled += 1
        self._jobs.add(job)
        try:
            job.take_in(item, self.options.model, self.options.journal)
        except InvalidInputError as error:
            self._end(job, None, error)
        if (job.outcome is None and job.stage is not Stage.SUBMIT) or self.go_on(job):
            self._fresh.append(job)

    def exhausted(self, error: BaseException | None = None) -> None:
        """Record that there are no more inputs, or that the iterable raised an error."""
        self.all_pulled, self._input_error = True, error

    # What is to be done

    def take(self) -> Job | None:
        """Return the next job whose step is due; None if there is none."""
        if self.stopped:
            return None
        if self._fresh:
            return self._fresh.popleft()
        now = self.clock.now()
        job = self._next_submission(now)
        if job is None and self._due and self._due[0][0] <= now:
            job = heapq.heappop(self._due)[1]
            self._watching.discard(job)
            if job.stage is Stage.POLL:
                self._tally.requested(now)
        return job

    def due_at(self) -> float:
        """Return the time at which a step may be due: -inf for now, inf while something else must happen first."""
        if self.stopped:
            return math.inf
        if self._fresh:
            return -math.inf
        due_at = self._due[0][0] if self._due else math.inf
        if self._ready:
            now, tries_end = self.clock.now(), self._ready[0].tries_end
            due_at = min(due_at, now + self._throttle.wait(now), tries_end.at if tries_end else math.inf)
        return due_at

    def departing(self, job: Job) -> Entry | None:
        """Allow a job's request to be sent. Return the entry to reserve in the journal first; None if there is none.

        Raises:
            ConfigurationError: It must not be sent, because the batch has ended meanwhile.
        """
        if self.stopped:
            raise ConfigurationError("The batch was ended meanwhile; nothing more is sent.")
        if job.stage is not Stage.SUBMIT:
            return None
        job.sent = job.entry is None
        return job.quoted_entry()

    def reserved(self, job: Job, entry: Entry) -> None:
        """Record that the journal has reserved a job's submission.

        Raises:
            ConfigurationError: It must not be sent: the batch has ended meanwhile, or another run has the input.
        """
        job.entry = entry
        if entry.look_again is not None:
            raise ConfigurationError("Another run may be submitting this input, so it is not sent.")
        job.reserved = True
        self.departing(job)
        job.sent = True

    # What came of it

    def looked(self, job: Job, entry: Entry) -> list[Note]:
        """Record the journal's entry of a job. Return the notes to write before the job continues."""
        job.entry = entry
        # Assume that it was sent: its event is unknown, or lacks the task that it should have.
        is_lost = entry.event in LOST or (entry.task is None and entry.event not in FREE)
        if is_lost and (entry.look_again is None or entry.adopts):
            return self._lost(job, entry)
        job.lost = None
        if entry.look_again is not None or entry.task is None or entry.event in FREE:
            return []
        if entry.event == "submitted":
            self._throttle.resumed()
            self.budget.resumed(job.index, entry.cost)
            # The recorded status is out of date: poll at once.
            task = evolve(entry.task, status=UNKNOWN_STATUS)
            job.wait = self.attend(task, self.options.timeout, self._deadline())
        elif entry.event != "failed" or not self.options.retry_failed:
            self._end(job, entry.task, failure(entry.task))
        return []

    def priced(self, job: Job, price: Price) -> list[Note]:
        """Record the price of a job's task. Return the notes to write before the job continues."""
        job.price, job.failures, job.pause = price, 0, 0.0
        try:
            job.affordable = self.budget.admits(job.index, price)
        except CostLimitError as error:
            self._end(job, None, error)
            return job.note("refused", error=str(error))
        return []

    def received(self, job: Job, task: Task) -> list[Note]:
        """Record the task in the response to a job's request. Return the notes to write before the job continues."""
        if job.wait is not None:
            job.wait.saw(task)
            return self._judged(job, job.wait)
        self._throttle.settled(self.clock.now())
        self._throttle.accepted()
        job.sent = False
        job.wait = self.attend(task, self.options.timeout, job.wait_ends or self._deadline())
        if job not in self._jobs:  # the batch has ended meanwhile
            log.began_after_all(task)
        return job.note("submitted", task=task.raw) + self._judged(job, job.wait)

    def failed(self, job: Job, error: Exception) -> list[Note]:
        """Record the error of a job's step. Return the notes to write before the job continues."""
        if job.entry is not None and job.entry.look_again is not None:
            job.tries_end = None
            self._throttle.not_sent()
            self._throttle.ended()
            return []
        if isinstance(error, ConfigurationError) or not isinstance(error, WaveSpeedError):
            self.crashed(error)
            free = job.reserved and not job.sent  # for the next run
            return job.note("refused", error="The batch ended before the input was sent.") if free else []
        if job.stage in PREPARING:
            if self.stopped or job.prepares_again(error, self.options.max_retries):
                return []
            self._end(job, None, error)
            return job.note("refused", error=f"{type(error).__name__}: {error}")
        if job.wait is None:
            return self._not_submitted(job, error)
        return self._poll_failed(job, job.wait, error)

    def go_on(self, job: Job) -> bool:
        """Schedule a job's next step, after its notes were written. Return whether to take that step at once."""
        goes_on, job.reserved = job.stage in (Stage.LOOK, Stage.PRICE), False
        if job.outcome is not None:
            self._jobs.discard(job)
            self._ended.append(job)
            self._fresh += self.budget.ended(job.index, job.outcome)
        elif job.pause:
            self._later(job, job.stage, job.pause)
        elif job.lost is not None:
            job.stage = Stage.FIND if job.stage is Stage.LOOK else Stage.LOOK
            self._fresh.append(job)
        elif job.entry is not None and job.entry.look_again is not None:
            job.looks_again()
            self._watching.add(job)
            self._later(job, Stage.LOOK, job.entry.look_again)
        elif job.wait is not None:
            self._later(job, Stage.POLL, job.wait.delay())
        elif job.fields is None:
            job.stage = Stage.LOOK if job.item is not None and job.entry is None else Stage.UPLOAD
            return not self.stopped
        elif self.budget.needs_prices and not job.affordable:
            return self.budget.asked_next(job) and not self.stopped
        else:
            job.stage = Stage.SUBMIT
            heapq.heappush(self._ready, job)
            is_next = goes_on and not self.stopped and self._ready[0] is job
            return is_next and self._next_submission(self.clock.now()) is job
        return False

    def crashed(self, error: BaseException) -> None:
        """Send nothing more, because of an error that affects the whole batch."""
        if not self.stopped:
            self.stopped, self._crash = True, error

    def stop(self) -> None:
        """Send nothing more."""
        self.stopped = True

    # What goes out

    def outcome(self) -> Outcome | None:
        """Return the next outcome; None if there is none yet.

        Raises:
            BaseException: The error of the batch or of the iterable of inputs, after all outcomes were returned.
        """
        if self._ended:
            job = self._ended.popleft()
            self._tally.handed_out(job, self.clock.now())
            return job.outcome
        if self._crash is not None:
            raise self._crash
        if self.stopped:
            raise ConfigurationError("The client was closed while this batch ran; nothing more is sent.")
        if self.over and self._input_error is not None:
            raise self._input_error
        return None

    @property
    def has_outcomes(self) -> bool:
        """Whether `outcome` has an outcome to return."""
        return bool(self._ended)

    @property
    def over(self) -> bool:
        """Whether the outcomes of all inputs were returned."""
        return self.all_pulled and not self._jobs and not self._ended

    def progress(self) -> Progress:
        """Return the progress."""
        return self._tally.progress(self._throttle.in_flight, self.options.total, self.budget.cost)

    def finish(self) -> None:
        """Return no more outcomes. Log the tasks that are recorded nowhere else: with a journal, those it lacks."""
        is_recorded = self.options.journal is not None and self._crash is None
        log.left(self.options.model, sorted((*self._jobs, *self._ended)), is_recorded)
        self._jobs.clear()
        self._ended.clear()

    # How a job goes on

    def _later(self, job: Job, stage: Stage, seconds: float) -> None:
        job.stage = stage
        heapq.heappush(self._due, (self.clock.now() + seconds, job))

    def _lost(self, job: Job, entry: Entry) -> list[Note]:
        """Look once for the task of an uncertain submission, if the journal can adopt it."""
        error = job.lost_submission(self.options.model, entry)
        if entry.adopts and job.lost is None and job.knows_all_fields:
            job.lost = error
        else:
            self._end(job, None, error)
        is_news = entry.event == "submitting" and entry.look_again is None
        return job.uncertain_note(error) if is_news else []

    def _deadline(self) -> Deadline:
        return Deadline.after(self.options.timeout, self.clock)

    def _next_submission(self, now: float) -> Job | None:
        """Return the job that may be submitted now. End jobs whose time is up."""
        while self._ready:
            job = self._ready[0]
            if job.tries_end and not job.tries_end.left():
                self._end(heapq.heappop(self._ready), None, job.error)
                self.go_on(job)
            elif self._throttle.wait(now):
                return None
            else:
                self._throttle.sent()
                job.wait_ends = self._deadline()
                job.tries_end = job.tries_end or job.wait_ends
                self._tally.requested(now)
                return heapq.heappop(self._ready)
        return None

    def _not_submitted(self, job: Job, error: WaveSpeedError) -> list[Note]:
        job.sent = isinstance(error, SubmissionUncertainError)
        self._throttle.failed(self.clock.now(), error)
        if job.submits_again(error, self.options.max_retries):
            job.error = error.with_traceback(None)
        else:
            self._end(job, None, error)
        if isinstance(error, SubmissionUncertainError):
            return job.uncertain_note(error)
        return job.note("refused", error=f"{type(error).__name__}: {error}")

    def _judged(self, job: Job, wait: Wait) -> list[Note]:
        try:
            return [] if wait.goes_on() else self._task_ended(job, wait.task, failure(wait.task))
        except TaskTimeoutError as error:
            return self._task_ended(job, wait.task, error)

    def _poll_failed(self, job: Job, wait: Wait, error: WaveSpeedError) -> list[Note]:
        """Keep polling after a temporary error, because the task is paid for. End on other errors, or with the wait."""
        try:
            with wait.guarded():
                wait.missed(error)
        except WaveSpeedError as outcome:
            return self._task_ended(job, wait.task, outcome)
        if isinstance(error, APIConnectionError | RateLimitError):  # others may concern this task only
            self._throttle.hindered(self.clock.now(), getattr(error, "retry_after", None))
        return []

    def _task_ended(self, job: Job, task: Task, error: WaveSpeedError | None) -> list[Note]:
        """End a job that has a task. A task that still runs stays submitted in the journal."""
        self._throttle.ended()
        self._end(job, task, error)
        return job.note("failed" if error else "finished", task=task.raw) if task.done else []

    def _end(self, job: Job, task: Task | None, error: WaveSpeedError | None) -> None:
        # Without a traceback: its frames would keep the batch in memory as long as the caller keeps the outcome.
        job.outcome = Outcome(job.index, job.input, task, error.with_traceback(None) if error else None)
