"""A job: one input of a batch on its way to its outcome."""

from __future__ import annotations

from contextvars import Context, copy_context
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from ..errors import APIConnectionError, RateLimitError, ServerError, uncertain_submission
from ..fields import encoded
from .attached import Attached, taken, urls_of
from .journal import Item, Note, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..catalogue.rows import Price
    from ..clock import Deadline
    from ..errors import SubmissionUncertainError, WaveSpeedError
    from ..fields import Place
    from ..files.register import Upload
    from ..task import Task
    from ..waiting.wait import Wait
    from .journal import Entry
    from .outcome import Outcome


class Stage(Enum):
    """What the next step of a job is."""

    READ = auto()
    LOOK = auto()
    FIND = auto()
    UPLOAD = auto()
    PRICE = auto()
    SUBMIT = auto()
    POLL = auto()


# Steps that make an input fit to be submitted.
PREPARING = (Stage.READ, Stage.UPLOAD, Stage.PRICE)


@define(eq=False)
class Job:
    """One input on its way to its outcome.

    Attributes:
        index: The input's place among the inputs.
        input: The input as it was taken: plain data, and the files in it.
        name: What tells it apart from others with the same content, if they have names.
        fields: The input as it is sent; None until its files are uploaded.
        body: The JSON of that.
        attached: The input with its files; None if there are none in it.
        context: The context variables with which it was pulled, in which its steps are carried out.
        stage: What its next step is, or the one that is under way.
        item: The input as the journal looks it up; None without a journal.
        entry: What the journal has of it; None until it was asked.
        reserved: Whether the journal was told of its submission, and not yet what came of it.
        tries_end: When it stops trying to be submitted; set by the first try.
        wait_ends: When its wait ends, counted from the submission that is under way or was taken.
        price: What its task would cost; None until that was asked, or where it is of no matter.
        affordable: Whether there is money for it.
        failures: How often it, a file of it, or the request for its price could not be sent.
        pause: Seconds after which a step that failed is to be taken again.
        error: Why it was refused last.
        lost: Why it is uncertain, while its task is looked for.
        sent: Whether its submission has left and no response has come.
        wait: The wait for its task; None until there is one.
        outcome: What became of it; None until it has ended.
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
        """Take in the input as plain data, and find its first step.

        Raises:
            InvalidInputError: It cannot be sent; the message names the field.
        """
        self.input, self.body, self.attached = taken(item)
        if self.attached is not None:
            self.stage = Stage.UPLOAD if journal is None else Stage.READ
            return
        self.fields = self.input
        if journal is not None:
            self._look(model, self.input, self.body)

    def read(self, attached: Attached, model: str, digests: Mapping[Place, str], known: Iterable[Upload]) -> None:
        """Take in the digests of the files, and what the journal knows of these contents."""
        self.attached, self.pause = evolve(attached, digests=digests, urls=urls_of(known)), 0.0
        self._look(model, *self.attached.described())

    def uploaded(self, attached: Attached, uploads: Mapping[Place, Upload]) -> None:
        """Take in where the files are."""
        digests = {place: upload.digest for place, upload in uploads.items()}
        self.attached = evolve(attached, digests=digests, urls=urls_of(uploads.values()))
        self.failures, self.pause, self.fields = 0, 0.0, self.attached.sent()
        self.body = encoded(self.fields)

    def prepares_again(self, error: WaveSpeedError, most: int) -> bool:
        """Tell whether an upload or a request for a price that failed is tried again, after a pause."""
        self.failures += 1
        self.pause = max(2.0 ** (self.failures - 1), getattr(error, "retry_after", None) or 0.0)
        return isinstance(error, APIConnectionError | RateLimitError | ServerError) and self.failures <= most

    def submits_again(self, error: WaveSpeedError, most: int) -> bool:
        """Tell whether a submission that failed is tried again."""
        if isinstance(error, APIConnectionError):
            self.failures += 1
            return self.failures <= most
        return isinstance(error, RateLimitError) and self.tries_end is not None and self.tries_end.left() > 0

    @property
    def tells_all(self) -> bool:
        """Whether the fields that are or were sent are all known."""
        return self.attached is None or self.sent_fields().keys() == self.attached.fields.keys()

    def sent_fields(self) -> dict[str, Any]:
        """Return the input as it is or was sent, without the fields whose files have no known URL."""
        sent: dict[str, Any] = self.input if self.attached is None else self.attached.sent()
        return sent

    def _look(self, model: str, input: dict[str, Any], body: bytes) -> None:
        self.stage, self.item = Stage.LOOK, Item(digest_of(model, input, *self.name), model, body)

    def saw(self, entry: Entry) -> None:
        """Keep what the journal has of it, for the next look."""
        self.entry = entry
        if self.item is not None:
            self.item = evolve(self.item, seen=entry, found=())

    def found(self, tasks: Sequence[Task]) -> None:
        """Keep the tasks that its submission may have started; the journal knows which of them others have."""
        if self.item is not None:
            self.item = evolve(self.item, found=tuple(tasks))

    def note(self, event: str, **told: Any) -> list[Note]:
        """Return what the journal is to write down of it; nothing without a journal."""
        if self.entry is None:
            return []
        return [Note(self.entry, event, **told)]

    def quoted_entry(self) -> Entry | None:
        """Return what the journal has of it, with what it will cost; None without a journal."""
        if self.entry is None or self.price is None:
            return self.entry
        return evolve(self.entry, cost=self.price.discounted_price)

    def doubted(self, model: str, entry: Entry) -> SubmissionUncertainError:
        """Return the error for a submission by an earlier run that has no response."""
        why = "the run that sent it ended without its response"
        return uncertain_submission(model, self.sent_fields(), entry.at, why, entry.task_id)

    def doubt(self, error: SubmissionUncertainError) -> list[Note]:
        """Return the note that its task may have been started."""
        moment = error.submitted_at
        return self.note("uncertain", error=str(error), submitted_at=moment, task_id=error.task_id or None)

    def __lt__(self, other: Job) -> bool:
        return self.index < other.index
