"""What `run_many` is asked for, checked before anything is sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Mapping, Sized
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import frozen

from wavespeed_api.models import TaskInput

from ..arguments import check_callable, split_model
from ..clock import Clock, Deadline
from ..errors import ConfigurationError, InvalidInputError
from ..transport.submission import SYNC_MODE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ..settings import Settings
    from .outcome import Progress
    from .text_journal import TextJournal

Inputs: TypeAlias = Iterable[Mapping[str, Any]]
AsyncInputs: TypeAlias = Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]


@frozen
class Options:
    """What a batch is to do, and within which limits.

    Attributes:
        base_url: The API that the tasks are at.
        model: The model's id.
        total: How many inputs there are; None if the iterable does not tell.
        max_in_flight: Tasks at once.
        max_per_minute: Submissions within any 60 seconds.
        timeout: Seconds that a task may take.
        longest_submission: Seconds within which a submission has its answer, or none.
        max_retries: How often a submission that could not be sent is tried again.
        journal: Where the journal is.
        on_progress: Is told of the progress with each outcome.
    """

    base_url: str
    model: str
    total: int | None
    max_in_flight: int
    max_per_minute: int | None
    timeout: float | None
    longest_submission: float
    max_retries: int
    journal: Path | None
    on_progress: Callable[[Progress], object] | None


def checked_options(
    settings: Settings,
    model: str,
    inputs: object,
    max_in_flight: object,
    max_per_minute: object,
    timeout: float | None,
    journal: object,
    on_progress: object,
) -> Options:
    """Return the options, if a batch can have them.

    Raises:
        InvalidInputError: Names the argument that is wrong.
        ConfigurationError: A journal needs the extra `batch`.
    """
    split_model(model)
    Deadline.after(timeout, Clock())
    kind = type(inputs).__name__
    if isinstance(inputs, str | bytes | Mapping | TaskInput) or not isinstance(inputs, Iterable | AsyncIterable):
        raise InvalidInputError(f"inputs must be an iterable of inputs, such as a list of dicts, not {kind}.")
    check_callable(on_progress, "on_progress", "a Progress")
    return Options(
        base_url=settings.base_url,
        model=model,
        total=len(inputs) if isinstance(inputs, Sized) else None,
        max_in_flight=_count("max_in_flight", max_in_flight),
        max_per_minute=None if max_per_minute is None else _count("max_per_minute", max_per_minute),
        timeout=timeout,
        longest_submission=max(settings.timeout, SYNC_MODE_SECONDS),
        max_retries=settings.max_retries,
        journal=None if journal is None else _journal_path(journal),
        on_progress=cast("Callable[[Progress], object] | None", on_progress),
    )


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidInputError(f"{name} must be a whole number, 1 or more; this is {str(value)[:80]!r}.")
    return value


def _journal_path(journal: object) -> Path:
    path = os.fspath(cast("str | os.PathLike[str]", journal)) if isinstance(journal, str | os.PathLike) else None
    if not isinstance(path, str) or not path:
        raise InvalidInputError("journal must be the path of a file.")
    if find_spec("filelock") is None:
        raise ConfigurationError("A journal needs a file lock: pip install 'wavespeed-client[batch]'")
    return Path(path)


def journal_for(options: Options) -> TextJournal | None:
    """Return the journal that was asked for, not opened yet."""
    if options.journal is None:
        return None
    from .text_journal import TextJournal

    return TextJournal(options.journal, options.base_url)


def pulled_from(inputs: Inputs) -> Iterator[object]:
    """The iterator of a sync client's inputs.

    Raises:
        InvalidInputError: They can only be iterated over asynchronously.
    """
    if not isinstance(cast("object", inputs), Iterable):
        raise InvalidInputError("inputs is an async iterable: an AsyncWaveSpeed takes those.")
    return iter(inputs)


def async_pulled_from(inputs: AsyncInputs) -> Callable[[], Awaitable[object]]:
    """Pulls the next of an async client's inputs, or raises StopAsyncIteration."""
    if isinstance(inputs, AsyncIterable):
        return aiter(inputs).__anext__
    iterator = iter(inputs)

    async def pull() -> object:
        for item in iterator:
            return item
        raise StopAsyncIteration

    return pull
