"""A batch: many inputs for one model, each on its way to its outcome. Pure: the engines of the two clients do the work.

`Batch` says what to do next: pull an input, or take the step of a job that its stage names. An engine that has taken
that step tells what came of it, writes the notes that it gets into the journal, and then lets the job go on. All this
is done under one lock or in one loop; the steps themselves and the journal need neither.

    READ     take the digests of the files in the input                Job.read, failed
    LOOK     ask the journal for the input, and note it if it is new   looked
    FIND     look for the task of an uncertain submission, at no cost
    UPLOAD   upload the files                                          Job.uploaded, failed
    PRICE    ask what the task would cost, where that matters          priced, failed
    SUBMIT   submit it, once the throttle lets it pass                 answered, failed
    POLL     ask for its task                                          answered, failed
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

# Events after which an input is submitted, and those after which it may have been taken already.
FREE, LOST = ("planned", "refused"), ("submitting", "uncertain")


@define(eq=False)
class Batch:
    """The state of one batch.

    Attributes:
        options: The arguments of `run_many`.
        clock: Tells the time.
        attend: Makes the wait for a task that must have ended by a deadline.
        stopped: Whether nothing more is to be sent.
        all_pulled: Whether there are no more inputs.
        budget: What it may spend, and has.
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
        """Return the seconds until one more input may be pulled; infinite while something else must happen first."""
        own = len(self._jobs) - len(self._watching)  # inputs that other runs are submitting take no room
        before = own - self._throttle.in_flight - self.options.ahead
        if self.all_pulled or self.stopped or own + len(self._ended) >= self.options.max_in_flight + self.options.ahead:
            return math.inf
        return self._throttle.wait(self.clock.now(), before) if before >= 0 else 0.0

    def pull(self, item: object) -> None:
        """Take in the next input; nothing once it has stopped."""
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
        """Take in that there are no more inputs: all were pulled, or pulling them failed."""
        self.all_pulled, self._input_error = True, error

    # What is to be done

    def take(self) -> Job | None:
        """Return the next job whose step is due; None if there is none."""
        if self.stopped:
            return None
        if self._fresh:
            return self._fresh.popleft()
        job = self._next_submission()
        if job is None and self._due and self._due[0][0] <= self.clock.now():
            job = heapq.heappop(self._due)[1]
            self._watching.discard(job)
            if job.stage is Stage.POLL:
                self._tally.requested(self.clock.now())
        return job

    def pause(self) -> float:
        """Return the seconds until a step may be due; infinite while something else must happen first."""
        if self.stopped:
            return math.inf
        if self._fresh:
            return 0.0
        now, pauses = self.clock.now(), [math.inf]
        if self._due:
            pauses.append(self._due[0][0] - now)
        if self._ready:
            tries_end = self._ready[0].tries_end
            pauses += [self._throttle.wait(now), tries_end.left() if tries_end else math.inf]
        return max(0.0, min(pauses))

    def answered_by(self, wait: Wait) -> Deadline:
        """Return when a poll must have its response. One that comes late, because many wait, is made all the same."""
        return Deadline(self.clock, max(wait.deadline.at, self.clock.now())).and_a_last_poll()

    def departing(self, job: Job) -> Entry | None:
        """Let the request of a job leave. Return what the journal must reserve before that; None if nothing.

        Raises:
            ConfigurationError: It must not leave: the batch was ended meanwhile.
        """
        if self.stopped:
            raise ConfigurationError("The batch was ended meanwhile; nothing more is sent.")
        if job.stage is not Stage.SUBMIT:
            return None
        job.sent = job.entry is None
        return job.quoted_entry()

    def reserved(self, job: Job, entry: Entry) -> None:
        """Take in that the journal has reserved a job's submission.

        Raises:
            ConfigurationError: It must not leave: the batch was ended meanwhile, or another run has the input.
        """
        job.entry = entry
        if entry.look_again is not None:
            raise ConfigurationError("Another run may be submitting this input, so it is not sent.")
        job.reserved = True
        self.departing(job)
        job.sent = True

    # What came of it

    def looked(self, job: Job, entry: Entry) -> list[Note]:
        """Take in what the journal has of a job's input. Return what to note before the job goes on."""
        job.saw(entry)
        # In doubt it was sent: an event without the task that it should tell of, or one that is not known here.
        is_lost = entry.event in LOST or (entry.task is None and entry.event not in FREE)
        if is_lost and (entry.look_again is None or entry.adopts):
            return self._lost(job, entry)
        job.lost = None
        if entry.look_again is not None or entry.task is None or entry.event in FREE:
            return []
        if entry.event == "submitted":
            self._throttle.resumed()
            self.budget.resumed(job.index, entry.cost)
            # A status of long ago says nothing: ask at once.
            task = evolve(entry.task, status=UNKNOWN_STATUS)
            job.wait = self.attend(task, self.options.timeout, self._deadline())
        elif entry.event != "failed" or not self.options.retry_failed:
            self._end(job, entry.task, failure(entry.task))
        return []

    def priced(self, job: Job, price: Price) -> list[Note]:
        """Take in what a job's task would cost. Return what to note before the job goes on."""
        job.price, job.failures, job.pause = price, 0, 0.0
        try:
            job.affordable = self.budget.admits(job.index, price)
        except CostLimitError as error:
            self._end(job, None, error)
            return job.note("refused", error=str(error))
        return []

    def answered(self, job: Job, task: Task) -> list[Note]:
        """Take in the task that a job's request was answered by. Return what to note before the job goes on."""
        if job.wait is not None:
            job.wait.saw(task)
            return self._judged(job, job.wait)
        self._throttle.answered(self.clock.now())
        self._throttle.accepted()
        job.sent = False
        job.wait = self.attend(task, self.options.timeout, job.wait_ends or self._deadline())
        if job not in self._jobs:  # the batch was left meanwhile
            log.began_after_all(task)
        return job.note("submitted", task=task.raw) + self._judged(job, job.wait)

    def failed(self, job: Job, error: Exception) -> list[Note]:
        """Take in the error of a job's step. Return what to note before the job goes on."""
        if job.entry is not None and job.entry.look_again is not None:
            job.tries_end = None
            self._throttle.not_sent()
            self._throttle.ended()
            return []
        if isinstance(error, ConfigurationError) or not isinstance(error, WaveSpeedError):
            self.crashed(error)
            free = job.reserved and not job.sent  # for the next run
            return job.note("refused", error="The batch was ended before it was sent.") if free else []
        if job.stage in PREPARING:
            if self.stopped or job.prepares_again(error, self.options.max_retries):
                return []
            self._end(job, None, error)
            return job.note("refused", error=f"{type(error).__name__}: {error}")
        if job.wait is None:
            return self._not_submitted(job, error)
        return self._not_told(job, job.wait, error)

    def go_on(self, job: Job) -> bool:
        """Let a job go on, once its notes are written. Return whether its next step is to be taken at once."""
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
            self._watching.add(job)
            self._later(job, Stage.LOOK, job.entry.look_again)
        elif job.wait is not None:
            self._later(job, Stage.POLL, job.wait.delay())
        elif job.fields is None:
            job.stage = Stage.LOOK if job.item is not None and job.entry is None else Stage.UPLOAD
            return not self.stopped
        elif self.budget.asks and not job.affordable:
            return self.budget.asked_next(job) and not self.stopped
        else:
            job.stage = Stage.SUBMIT
            heapq.heappush(self._ready, job)
            return goes_on and not self.stopped and self._ready[0] is job and self._next_submission() is job
        return False

    def crashed(self, error: BaseException) -> None:
        """Send nothing more, because something broke that concerns more than one input."""
        if not self.stopped:
            self.stopped, self._crash = True, error

    def stop(self) -> None:
        """Send nothing more."""
        self.stopped = True

    # What goes out

    def outcome(self) -> Outcome | None:
        """Return the next outcome; None if there is none yet.

        Raises:
            BaseException: What broke the batch, or the iterable of its inputs, once all outcomes are handed out.
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
        """Whether outcomes wait to be handed out."""
        return bool(self._ended)

    @property
    def over(self) -> bool:
        """Whether every input has had its outcome handed out."""
        return self.all_pulled and not self._jobs and not self._ended

    def progress(self) -> Progress:
        """Return how far it has got."""
        return self._tally.progress(self._throttle.in_flight, self.options.total, self.budget.cost)

    def finish(self) -> None:
        """Hand out nothing more. Log the tasks that are found nowhere else: with a journal, those that it lacks."""
        is_told = self.options.journal is not None and self._crash is None
        log.left(self.options.model, sorted((*self._jobs, *self._ended)), is_told)
        self._jobs.clear()
        self._ended.clear()

    # How a job goes on

    def _later(self, job: Job, stage: Stage, seconds: float) -> None:
        job.stage = stage
        heapq.heappush(self._due, (self.clock.now() + seconds, job))

    def _lost(self, job: Job, entry: Entry) -> list[Note]:
        """Look once for the task of a submission without a response, where the journal can adopt it."""
        error = job.doubted(self.options.model, entry)
        if entry.adopts and job.lost is None and job.tells_all:
            job.lost = error
        else:
            self._end(job, None, error)
        is_news = entry.event == "submitting" and entry.look_again is None
        return job.doubt(error) if is_news else []

    def _deadline(self) -> Deadline:
        return Deadline.after(self.options.timeout, self.clock)

    def _next_submission(self) -> Job | None:
        """Return the job that may be submitted now. End those whose time is up."""
        while self._ready:
            job = self._ready[0]
            if job.tries_end and not job.tries_end.left():
                self._end(heapq.heappop(self._ready), None, job.error)
                self.go_on(job)
            elif self._throttle.wait(self.clock.now()):
                return None
            else:
                self._throttle.sent()
                job.wait_ends = self._deadline()
                job.tries_end = job.tries_end or job.wait_ends
                self._tally.requested(self.clock.now())
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
            return job.doubt(error)
        return job.note("refused", error=f"{type(error).__name__}: {error}")

    def _judged(self, job: Job, wait: Wait) -> list[Note]:
        try:
            return [] if wait.goes_on() else self._task_ended(job, wait.task, failure(wait.task))
        except TaskTimeoutError as error:
            return self._task_ended(job, wait.task, error)

    def _not_told(self, job: Job, wait: Wait, error: WaveSpeedError) -> list[Note]:
        """Ride out a poll without a usable response until the wait ends, where that may pass: the task is paid for."""
        try:
            with wait.guarded():
                wait.missed(error)
        except WaveSpeedError as outcome:
            return self._task_ended(job, wait.task, outcome)
        if isinstance(error, APIConnectionError | RateLimitError):  # others may be about this task alone
            self._throttle.hindered(self.clock.now(), getattr(error, "retry_after", None))
        return []

    def _task_ended(self, job: Job, task: Task, error: WaveSpeedError | None) -> list[Note]:
        """End a job that has a task. A task that still runs stays submitted in the journal."""
        self._throttle.ended()
        self._end(job, task, error)
        return job.note("failed" if error else "finished", task=task.raw) if task.done else []

    def _end(self, job: Job, task: Task | None, error: WaveSpeedError | None) -> None:
        # An outcome is kept as data; the frames of its error would keep the batch alive.
        job.outcome = Outcome(job.index, job.input, task, error.with_traceback(None) if error else None)
