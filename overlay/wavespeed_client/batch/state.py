"""A batch: many inputs for one model, each on its way to its outcome. Pure: the two clients carry out the steps.

`Batch` says what to do next: pull an input, submit one, ask for a task, hand out an outcome. Whoever carries
that out tells it what came of it. It does no I/O but for the journal, and is used under one lock or in one loop.
"""

from __future__ import annotations

import heapq
import logging
import math
from collections import deque
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from ..arguments import sent_input
from ..clock import Deadline
from ..errors import (
    APIConnectionError,
    ConfigurationError,
    InvalidInputError,
    RateLimitError,
    ServerError,
    SubmissionUncertainError,
    TaskTimeoutError,
    WaveSpeedError,
    uncertain_submission,
)
from ..task import UNKNOWN_STATUS
from ..waiting.wait import failure
from .job import Job
from .outcome import Outcome, Progress
from .throttle import Pace, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock
    from ..task import Task
    from ..waiting.wait import Wait
    from .journal import Entry, Journal
    from .options import Options

logger = logging.getLogger("wavespeed_client")

# Errors by which a request certainly did not leave.
UNSENT = (APIConnectionError, InvalidInputError)
# Errors by which the service, or the way to it, is in trouble: the next submission would meet the same.
TROUBLE = (APIConnectionError, RateLimitError, ServerError, SubmissionUncertainError)


@define(eq=False)
class Batch:
    """The state of one batch.

    Attributes:
        options: What was asked for.
        clock: Tells the time.
        attend: Makes the wait for a task that must have ended by a deadline.
        journal: Where every step is written down.
        stopped: Whether nothing more is to be sent.
    """

    options: Options
    clock: Clock
    attend: Callable[[Task, float | None, Deadline], Wait]
    journal: Journal | None = None
    stopped: bool = field(init=False, default=False)
    _pace: Pace = field(init=False)
    _rate: Rate = field(init=False)
    _ready: list[Job] = field(init=False, factory=list[Job])
    _due: list[tuple[float, Job]] = field(init=False, factory=list[tuple[float, Job]])
    _outcomes: deque[Outcome] = field(init=False, factory=deque[Outcome])
    _jobs: set[Job] = field(init=False, factory=set[Job])
    _in_flight: int = field(init=False, default=0)
    _unanswered: int = field(init=False, default=0)
    _pulled: int = field(init=False, default=0)
    _exhausted: bool = field(init=False, default=False)
    _input_error: BaseException | None = field(init=False, default=None)
    _crash: BaseException | None = field(init=False, default=None)
    _done: int = field(init=False, default=0)
    _failed: int = field(init=False, default=0)
    _uncertain: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._pace = Pace(self.options.max_in_flight)
        self._rate = Rate(self.options.max_per_minute)

    # What comes in

    def room(self) -> float:
        """Seconds until one more input may be pulled; without end while something else must happen first."""
        kept = len(self._jobs) + len(self._outcomes)
        if self._exhausted or self.stopped or kept >= self.options.max_in_flight:
            return math.inf
        return self._admission(before=len(self._ready))

    def pull(self, item: object) -> None:
        """Take in the next input."""
        index, self._pulled = self._pulled, self._pulled + 1
        try:
            job = Job(index, sent_input(item))
        except InvalidInputError as error:
            self._outcomes.append(Outcome(index, item, None, error.with_traceback(None)))
            return
        self._jobs.add(job)
        entry = self.journal.claim(self.options.model, job.input) if self.journal else None
        if entry is not None:
            self._resume(job, entry)
        elif self.journal is not None:
            job.number = self.journal.planned(self.options.model, job.input)
        if job in self._jobs and job.wait is None:
            heapq.heappush(self._ready, job)

    def exhausted(self, error: BaseException | None = None) -> None:
        """There are no more inputs: all were pulled, or pulling them failed."""
        self._exhausted, self._input_error = True, error

    # What is to be done

    def take(self) -> Job | None:
        """The job whose next step is due: its submission, or a question about its task. None when there is none."""
        if self.stopped:
            return None
        if (job := self._next_submission()) is not None:
            return job
        if self._due and self._due[0][0] <= self.clock.now():
            return heapq.heappop(self._due)[1]
        return None

    def pause(self) -> float:
        """Seconds until a step may be due; without end while something else must happen first."""
        if self.stopped:
            return math.inf
        next_question = self._due[0][0] - self.clock.now() if self._due else math.inf
        return max(0.0, min(next_question, self._until_next_submission()))

    def answered_by(self, wait: Wait) -> Deadline:
        """When a question must have its answer. It may come late where many wait, and is asked all the same."""
        return Deadline(self.clock, max(wait.deadline.at, self.clock.now())).and_a_last_poll()

    def departing(self, job: Job) -> None:
        """The request of a job is about to leave.

        Raises:
            ConfigurationError: It must not: the batch was ended meanwhile, or the journal cannot be written.
        """
        if self.stopped:
            raise ConfigurationError("The batch was ended meanwhile; nothing more is sent.")
        if job.wait is None:
            self._write(job, "submitting")
            job.sent = True

    # What came of it

    def answered(self, job: Job, task: Task) -> None:
        """A job's request was answered by a task."""
        if job.wait is None:
            self._unanswered -= 1
            self._rate.answered(self.clock.now())
            self._pace.taken()
            job.sent = False
            job.wait = self.attend(task, self.options.timeout, job.until or self._deadline())
            self._write(job, "submitted", task=task.raw)
            if job not in self._jobs and self.journal is None:  # nobody waits for it any more
                logger.warning("Task %s of a batch that was left began after all: wait for it by its id.", task.id)
        else:
            job.wait.saw(task)
        self._wait_on(job, job.wait)

    def failed(self, job: Job, error: Exception) -> None:
        """A job's request ended in an error."""
        if isinstance(error, ConfigurationError) or not isinstance(error, WaveSpeedError):
            self.crashed(error)
        elif job.wait is None:
            self._not_submitted(job, error)
        else:
            self._not_told(job, job.wait, error)

    def crashed(self, error: BaseException) -> None:
        """Something broke that is no matter of one input: nothing more is sent."""
        if not self.stopped:
            self.stopped, self._crash = True, error

    def stop(self) -> None:
        """Nothing more is sent."""
        self.stopped = True

    # What goes out

    def outcome(self) -> Outcome | None:
        """The next outcome; None if there is none yet.

        Raises:
            BaseException: What broke the batch, or the iterable of its inputs, once all outcomes are handed out.
        """
        if self._outcomes:
            outcome = self._outcomes.popleft()
            self._done += 1
            self._uncertain += outcome.uncertain
            self._failed += outcome.error is not None and not outcome.uncertain
            return outcome
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
        return bool(self._outcomes)

    @property
    def under_way(self) -> int:
        """How many inputs are on their way."""
        return len(self._jobs)

    @property
    def all_pulled(self) -> bool:
        """Whether no more inputs are pulled."""
        return self._exhausted

    @property
    def over(self) -> bool:
        """Whether every input has had its outcome handed out."""
        return self._exhausted and not self._jobs and not self._outcomes

    def progress(self) -> Progress:
        """How far it has got."""
        return Progress(self._done, self._failed, self._uncertain, self._in_flight, self.options.total)

    def open_journal(self) -> None:
        """Open the journal, if there is to be one.

        Raises:
            InvalidInputError: It cannot be opened, is none, or is in use.
        """
        if self.options.journal is not None:
            from .journal import Journal

            self.journal = Journal.opened(self.options.journal, self.options.base_url)

    def finish(self) -> None:
        """Hand out nothing more. Where there is no journal, log the tasks that nobody would know of."""
        tasks = [outcome.task for outcome in self._outcomes]
        tasks += [job.wait.task for job in sorted(self._jobs) if job.wait is not None]
        ids = [task.id for task in tasks if task is not None]
        if ids and (self.journal is None or self._crash is not None):
            logger.warning("A batch ended before these tasks were handed out. Wait for them by id: %s", " ".join(ids))
        unanswered = sum(job.sent for job in self._jobs)
        if unanswered:
            logger.warning(
                "A batch for %s was left with %d submissions unanswered. They may have been taken: look with tasks() "
                "before you submit those inputs again.",
                self.options.model,
                unanswered,
            )
        self._jobs.clear()
        self._outcomes.clear()

    def close_journal(self) -> None:
        """Nothing more is written down."""
        if self.journal is not None:
            self.journal.close()

    # How a job goes on

    def _admission(self, before: int = 0) -> float:
        """Seconds until one more submission may be sent, after so many others."""
        now, in_flight, unanswered = self.clock.now(), self._in_flight + before, self._unanswered + before
        return max(self._rate.wait(now, before), self._pace.wait(now, in_flight, unanswered))

    def _begin(self, job: Job) -> None:
        self._in_flight += 1
        self._unanswered += 1
        self._rate.sent()
        self._pace.sent()
        job.until = self._deadline()
        job.gives_up = job.gives_up or job.until

    def _deadline(self) -> Deadline:
        return Deadline.after(self.options.timeout, self.clock)

    def _next_submission(self) -> Job | None:
        """The job that may be submitted now. Those whose time is up end here."""
        while self._ready:
            job = self._ready[0]
            if job.gives_up and not job.gives_up.left():
                self._end(heapq.heappop(self._ready), None, job.error)
            elif self._admission():
                return None
            else:
                self._begin(heapq.heappop(self._ready))
                return job
        return None

    def _until_next_submission(self) -> float:
        if not self._ready:
            return math.inf
        gives_up = self._ready[0].gives_up
        return min(self._admission(), gives_up.left() if gives_up else math.inf)

    def _not_submitted(self, job: Job, error: WaveSpeedError) -> None:
        self._unanswered -= 1
        job.sent = False
        if isinstance(error, UNSENT):
            self._rate.not_sent()
        else:
            self._rate.answered(self.clock.now())
        if isinstance(error, SubmissionUncertainError):
            named = {"task_id": error.task_id} if error.task_id else {}
            self._write(job, "uncertain", error=str(error), submitted_at=error.submitted_at.isoformat(), **named)
        else:
            self._write(job, "refused", error=f"{type(error).__name__}: {error}")
        if isinstance(error, TROUBLE):
            self._pace.refused(self.clock.now(), self._in_flight, getattr(error, "retry_after", None))
        elif not isinstance(error, UNSENT):
            self._pace.taken()
        self._in_flight -= 1
        if self._tries_again(job, error):
            job.error = error.with_traceback(None)
            heapq.heappush(self._ready, job)
        else:
            self._end(job, None, error)

    def _tries_again(self, job: Job, error: WaveSpeedError) -> bool:
        if isinstance(error, APIConnectionError):
            job.failures += 1
            return job.failures <= self.options.max_retries
        return isinstance(error, RateLimitError) and job.gives_up is not None and job.gives_up.left() > 0

    def _resume(self, job: Job, entry: Entry) -> None:
        """Go on where an earlier run has stopped. What was never taken by the service is left as it is."""
        job.number = entry.number
        if entry.event in ("submitting", "uncertain"):
            self._end(job, None, self._lost(job, entry))
        elif entry.task is not None and entry.event == "submitted":
            self._in_flight += 1
            # A status of long ago says nothing: ask at once.
            task = evolve(entry.task, status=UNKNOWN_STATUS)
            job.wait = self.attend(task, self.options.timeout, self._deadline())
            self._wait_on(job, job.wait)
        elif entry.task is not None:
            self._end(job, entry.task, failure(entry.task))

    def _lost(self, job: Job, entry: Entry) -> SubmissionUncertainError:
        why = "the run that sent it ended without its response"
        error = uncertain_submission(self.options.model, job.input, entry.at, why, entry.task_id)
        if entry.event == "submitting":
            self._write(job, "uncertain", error=str(error), submitted_at=entry.at.isoformat())
        return error

    def _wait_on(self, job: Job, wait: Wait) -> None:
        try:
            if wait.goes_on():
                heapq.heappush(self._due, (self.clock.now() + wait.delay(), job))
                return
        except TaskTimeoutError as error:
            self._ended(job, wait.task, error)
        else:
            self._ended(job, wait.task, failure(wait.task))

    def _not_told(self, job: Job, wait: Wait, error: WaveSpeedError) -> None:
        """A poll got no usable answer. What may pass is ridden out until the wait ends: the task is paid for."""
        try:
            with wait.guarded():
                wait.missed(error)
        except WaveSpeedError as outcome:
            self._ended(job, wait.task, outcome)
            return
        if isinstance(error, APIConnectionError | RateLimitError):  # others may be about this task alone
            self._pace.hindered(self.clock.now(), self._in_flight, getattr(error, "retry_after", None))
        heapq.heappush(self._due, (self.clock.now() + wait.delay(), job))

    def _ended(self, job: Job, task: Task, error: WaveSpeedError | None) -> None:
        """A job with a task has come to its end. A task that still runs stays submitted in the journal."""
        self._in_flight -= 1
        if task.done:
            self._write(job, "failed" if error else "finished", task=task.raw)
        self._end(job, task, error)

    def _end(self, job: Job, task: Task | None, error: WaveSpeedError | None) -> None:
        self._jobs.discard(job)
        # An outcome is kept as data; the frames of its error would keep the batch alive.
        self._outcomes.append(Outcome(job.index, job.input, task, error.with_traceback(None) if error else None))

    def _write(self, job: Job, event: str, **fields: Any) -> None:
        if self.journal is not None:
            self.journal.write(job.number, event, **fields)
