"""A job: one input of a batch on its way to its outcome."""

from __future__ import annotations

from contextvars import Context, copy_context
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from ..errors import APIConnectionError, RateLimitError, ServerError, SubmissionUncertainError
from ..fields import encoded
from .attached import Attached, taken, urls_of
from .journal import Item, Note, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..catalogue.rows import Price
    from ..clock import Deadline
    from ..errors import WaveSpeedError
    from ..fields import Place
    from ..files.register import Upload
    from ..task import Task
    from ..waiting.wait import Wait
    from .journal import Entry
    from .outcome import Outcome


class Stage(Enum):
    """The next step of a job."""

    READ = auto()
    LOOK = auto()
    FIND = auto()
    UPLOAD = auto()
    PRICE = auto()
    SUBMIT = auto()
    POLL = auto()


# Steps before an input can be submitted.
PREPARING = (Stage.READ, Stage.UPLOAD, Stage.PRICE)


@define(eq=False)
class Job:
    """One input on its way to its outcome.

    Attributes:
        index: The input's position in the batch.
        input: A copy of the input: plain data and its files.
        name: A name that distinguishes inputs with the same content; empty without names.
        fields: The input as it is sent; None until its files are uploaded.
        body: The JSON of `fields`.
        attached: The input with its files; None if it has none.
        context: The context variables at the time when the input was pulled. Its steps run in this context.
        stage: The current or next step.
        item: What the journal looks up; None without a journal.
        entry: The journal's entry; None until the journal was read.
        reserved: Whether the journal has recorded the submission, but not its result yet.
        tries_end: When to stop trying to submit; set by the first attempt.
        wait_ends: When the wait for the task ends, counted from its submission.
        price: The quoted price; None until it was requested, or without limits.
        affordable: Whether the price fits the budget.
        failures: How often the submission, an upload or the request for the price could not be sent.
        pause: Seconds to wait before a failed step is retried.
        error: The last refusal.
        lost: The error of an uncertain submission while its task is looked for.
        sent: Whether the submission was sent and has no response yet.
        wait: The wait for the task; None until there is a task.
        outcome: The outcome; None until the job has ended.
    """

    index: int
    input: Any
    name: tuple[str, ...] = ()
    fields: dict[str, Any] | None = None
    body: bytes = b""
    attached: Attached | None = None
    context: Context = field(factory=copy_context)
    stage: Stage = Stage.SUBMIT
    item: Item | None = None
    entry: Entry | None = None
    reserved: bool = False
    tries_end: Deadline | None = None
    wait_ends: Deadline | None = None
    price: Price | None = None
    affordable: bool = False
    failures: int = 0
    pause: float = 0.0
    error: WaveSpeedError | None = None
    lost: SubmissionUncertainError | None = None
    sent: bool = False
    wait: Wait | None = None
    outcome: Outcome | None = None

    def take_in(self, item: object, model: str, journal: object) -> None:
        """Copy the input, and set the first step.

        Raises:
            InvalidInputError: The input cannot be sent; the message names the field.
        """
        self.input, self.body, self.attached = taken(item)
        if self.attached is not None:
            self.stage = Stage.UPLOAD if journal is None else Stage.READ
            return
        self.fields = self.input
        if journal is not None:
            self._look(model, self.input, self.body)

    def read(self, attached: Attached, model: str, digests: Mapping[Place, str], known: Iterable[Upload]) -> None:
        """Set the digests of the files, and the uploads of these contents that the journal knows."""
        self.attached, self.pause = evolve(attached, digests=digests, urls=urls_of(known)), 0.0
        self._look(model, *self.attached.described())

    def uploaded(self, attached: Attached, uploads: Mapping[Place, Upload]) -> None:
        """Set the URLs of the uploaded files."""
        digests = {place: upload.digest for place, upload in uploads.items()}
        self.attached = evolve(attached, digests=digests, urls=urls_of(uploads.values()))
        self.failures, self.pause, self.fields = 0, 0.0, self.attached.sent()
        self.body = encoded(self.fields)

    def prepares_again(self, error: WaveSpeedError, most: int) -> bool:
        """Return whether to retry a failed upload or price request, after a pause."""
        self.failures += 1
        self.pause = max(2.0 ** (self.failures - 1), getattr(error, "retry_after", None) or 0.0)
        return isinstance(error, APIConnectionError | RateLimitError | ServerError) and self.failures <= most

    def submits_again(self, error: WaveSpeedError, most: int) -> bool:
        """Return whether to retry a failed submission."""
        if isinstance(error, APIConnectionError):
            self.failures += 1
            return self.failures <= most
        return isinstance(error, RateLimitError) and self.tries_end is not None and self.tries_end.left() > 0

    @property
    def knows_all_fields(self) -> bool:
        """Whether every field that is or was sent is known."""
        return self.attached is None or self.sent_fields().keys() == self.attached.fields.keys()

    def sent_fields(self) -> dict[str, Any]:
        """Return the input as it is or was sent, without the fields whose files have no known URL."""
        sent: dict[str, Any] = self.input if self.attached is None else self.attached.sent()
        return sent

    def _look(self, model: str, input: dict[str, Any], body: bytes) -> None:
        self.stage, self.item = Stage.LOOK, Item(digest_of(model, input, *self.name), model, body)

    def looks_again(self, found: Sequence[Task] = ()) -> None:
        """Prepare another look, with the entry of the last one and the tasks that the submission may have started."""
        if self.item is not None:
            self.item = evolve(self.item, seen=self.entry, found=tuple(found))

    def note(self, event: str, **values: Any) -> list[Note]:
        """Return the note for the journal; none without a journal."""
        if self.entry is None:
            return []
        return [Note(self.entry, event, **values)]

    def quoted_entry(self) -> Entry | None:
        """Return the journal's entry with the quoted price; None without a journal."""
        if self.entry is None or self.price is None:
            return self.entry
        return evolve(self.entry, cost=self.price.discounted_price)

    def lost_submission(self, model: str, entry: Entry) -> SubmissionUncertainError:
        """Return the error for a submission by an earlier run that received no response."""
        why = "the run that sent it ended before the response"
        fields = self.sent_fields()
        return SubmissionUncertainError(why, model=model, input=fields, submitted_at=entry.at, task_id=entry.task_id)

    def uncertain_note(self, error: SubmissionUncertainError) -> list[Note]:
        """Return the note for an uncertain submission."""
        moment = error.submitted_at
        return self.note("uncertain", error=str(error), submitted_at=moment, task_id=error.task_id or None)

    def __lt__(self, other: Job) -> bool:
        return self.index < other.index
