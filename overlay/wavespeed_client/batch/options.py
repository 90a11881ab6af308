"""The arguments of `run_many`, checked before anything is sent."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterable, Iterable, Mapping, Sized
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import frozen

from wavespeed_api.models import TaskInput

from ..arguments import check_callable, check_limit, split_model
from ..clock import Clock, Deadline
from ..errors import ConfigurationError, InvalidInputError
from ..transport.submission import SYNC_MODE_SECONDS
from ..waiting.wait import LONGEST_SILENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from ..settings import Settings
    from .journal import Journal
    from .outcome import Progress
    from .postgres.address import Address

Inputs: TypeAlias = Iterable[Mapping[str, Any]]
AsyncInputs: TypeAlias = Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]

# Prefixes of a journal in a database. Every URL is one, too; anything else is the path of a file.
DATABASES = ("env:", "service=")
LONGEST_NAME = 200
# A deque holds several times as many items, and its length must be below 2**63.
LARGEST_COUNT = 10**9

# Least seconds to wait for a database, even if the timeout for tasks is shorter.
LEAST_PATIENCE = 10.0
# Seconds after the longest submission, such as for a slow name server; by then no response can come any more.
MARGIN = 60.0


@frozen
class Options:
    """The checked arguments of a batch.

    Attributes:
        base_url: The base URL of the API.
        model: The model's id.
        total: The number of inputs; None if the iterable has no length.
        max_in_flight: Tasks at once.
        max_per_minute: Submissions within any 60 seconds.
        timeout: Seconds that a task may take.
        uncertain_after: Seconds after which no response to a submission can come any more. A submission of another run
            then counts as uncertain.
        max_retries: How often to retry a submission that could not be sent.
        journal: The journal's file or database.
        batch: The batch's name in a database.
        names: A name for each input. Inputs with the same name and content share one task, whichever run submits it.
            None: each input is a task of its own.
        max_cost: Limit for each task, in USD.
        budget: Limit for all tasks of the journal and of this run together, in USD.
        retry_failed: Whether to submit inputs again whose task failed, according to the journal.
        on_progress: Called with the progress before each outcome.
    """

    base_url: str
    model: str
    total: int | None
    max_in_flight: int
    max_per_minute: int | None
    timeout: float | None
    max_retries: int
    uncertain_after: float
    journal: Path | Address | None
    batch: str | None
    on_progress: Callable[[Progress], object] | None
    names: Sequence[str] | None = None
    max_cost: float | None = None
    budget: float | None = None
    retry_failed: bool = False

    @property
    def has_database(self) -> bool:
        """Whether the journal is in a database, so that its changes take time."""
        return self.journal is not None and not isinstance(self.journal, Path)

    @property
    def ahead(self) -> int:
        """Inputs to pull beyond those in flight, so that no slot waits for the database."""
        return self.max_in_flight if self.has_database else 0

    @property
    def patience(self) -> float:
        """Seconds to wait for the database."""
        return LONGEST_SILENCE if self.timeout is None else max(self.timeout, LEAST_PATIENCE)

    def name_of(self, index: int) -> tuple[str, ...]:
        """Return the name of an input, by its position; empty without names."""
        return () if self.names is None else (self.names[index],)


def checked_options(
    settings: Settings,
    model: str,
    inputs: object,
    max_in_flight: object,
    max_per_minute: object,
    timeout: float | None,
    journal: object,
    on_progress: object,
    batch: object = None,
    max_cost: float | None = None,
    budget: float | None = None,
    retry_failed: bool = False,
) -> Options:
    """Check the arguments of a batch, and return its options.

    Raises:
        InvalidInputError: An argument is wrong; the message names it.
        ConfigurationError: The journal needs an extra, or is not the address of a database.
    """
    split_model(model)
    Deadline.after(timeout, Clock())
    kind, total = type(inputs).__name__, _total(inputs)
    if isinstance(inputs, str | bytes | Mapping | TaskInput) or not isinstance(inputs, Iterable | AsyncIterable):
        raise InvalidInputError(f"inputs must be an iterable of inputs, such as a list of dicts, not {kind}.")
    check_callable(on_progress, "on_progress", "a Progress")
    check_limit(max_cost)
    if budget != math.inf:
        check_limit(budget, "budget")
    if retry_failed and journal is None:
        raise InvalidInputError("retry_failed needs a journal, which records the tasks that failed.")
    place = _place(journal)
    if retry_failed and not isinstance(place, Path):
        raise InvalidInputError(
            "retry_failed is for a journal in a file. For a batch in a database, call pay_again(journal, batch, "
            "'failed'): the next run then submits the inputs whose tasks failed."
        )
    return Options(
        base_url=settings.base_url,
        model=model,
        total=total,
        max_in_flight=checked_count("max_in_flight", max_in_flight),
        max_per_minute=None if max_per_minute is None else checked_count("max_per_minute", max_per_minute),
        timeout=timeout,
        max_retries=settings.max_retries,
        uncertain_after=max(settings.timeout, SYNC_MODE_SECONDS) + MARGIN,
        journal=place,
        batch=_batch_name(batch, place),
        on_progress=cast("Callable[[Progress], object] | None", on_progress),
        max_cost=max_cost,
        budget=budget,
        retry_failed=retry_failed,
    )


def _total(inputs: object) -> int | None:
    """Return the number of inputs; None if the iterable has no length, or raises an error for it."""
    try:
        return len(inputs) if isinstance(inputs, Sized) else None
    except Exception:
        return None


def checked_count(name: str, value: object) -> int:
    """Check and return a number.

    Raises:
        InvalidInputError: It is not a whole number from 1 to `LARGEST_COUNT`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_COUNT:
        raise InvalidInputError(
            f"{name} must be a whole number from 1 to {LARGEST_COUNT}; this is {str(value)[:80]!r}."
        )
    return value


def _place(journal: object) -> Path | Address | None:
    if journal is None:
        return None
    if isinstance(journal, str) and (journal.startswith(DATABASES) or "://" in journal):
        return address_of(journal)
    return _journal_path(journal)


def address_of(journal: str) -> Address:
    """Parse the address of a database.

    Raises:
        ConfigurationError: The extra `postgres` is missing, or this is not the address of a database.
    """
    try:
        from .postgres.address import Address
    except ImportError as error:
        raise ConfigurationError(
            f"A journal in a database needs psycopg: pip install 'wavespeed-client[postgres]' ({error})"
        ) from error
    return Address.read(journal)


def _batch_name(batch: object, place: Path | Address | None) -> str | None:
    if place is None or isinstance(place, Path):
        if batch is not None:
            raise InvalidInputError("batch is only for a journal in a database: leave it out.")
        return None
    return checked_name(batch)


def checked_name(batch: object) -> str:
    """Check and return the name of a batch in a database.

    Raises:
        InvalidInputError: It is missing, too long or not printable.
    """
    if not isinstance(batch, str) or not batch.strip() or not batch.isprintable() or len(batch) > LONGEST_NAME:
        raise InvalidInputError(
            f"A journal in a database needs batch=, a name of up to {LONGEST_NAME} printable characters. Use the same "
            "name to continue the batch: under another one, every input is submitted and paid for again."
        )
    return batch


def _journal_path(journal: object) -> Path:
    path = os.fspath(cast("str | os.PathLike[str]", journal)) if isinstance(journal, str | os.PathLike) else None
    if not isinstance(path, str) or not path:
        raise InvalidInputError("journal must be the path of a file, or the address of a database.")
    if find_spec("filelock") is None:
        raise ConfigurationError("A journal needs a file lock: pip install 'wavespeed-client[batch]'")
    return Path(path)


def journal_for(options: Options) -> Journal | None:
    """Make the journal of a batch, without opening it."""
    if options.journal is None:
        return None
    if isinstance(options.journal, Path):
        from .text_journal import TextJournal

        return TextJournal(options.journal, options.base_url)
    from .postgres.journal import PostgresJournal
    from .postgres.ledger import Ledger
    from .postgres.writer import Writer

    return PostgresJournal(Writer(Ledger(options, options.journal), options.patience))


def async_journal_for(options: Options) -> Journal | None:
    """Async journal_for."""
    if options.journal is None or isinstance(options.journal, Path):
        return journal_for(options)
    from .postgres.async_writer import AsyncWriter
    from .postgres.journal import PostgresJournal
    from .postgres.ledger import Ledger

    return PostgresJournal(AsyncWriter(Ledger(options, options.journal), options.patience))


def pulled_from(inputs: Inputs) -> Iterator[object]:
    """Return an iterator over the inputs of a sync client.

    Raises:
        InvalidInputError: The inputs are an async iterable.
    """
    if not isinstance(cast("object", inputs), Iterable):
        raise InvalidInputError("inputs is an async iterable: use AsyncWaveSpeed.")
    return iter(inputs)


def async_pulled_from(inputs: AsyncInputs) -> Callable[[], Awaitable[object]]:
    """Return a function that pulls the next input of an async client, or raises StopAsyncIteration."""
    if isinstance(inputs, AsyncIterable):
        return aiter(inputs).__anext__
    iterator = iter(inputs)

    async def pull() -> object:
        for item in iterator:
            return item
        raise StopAsyncIteration

    return pull
