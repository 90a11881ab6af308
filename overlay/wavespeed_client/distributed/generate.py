"""Submit a task for each row. Engines may execute this any number of times."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve, field, frozen

from ..arguments import check_limit, input_fields, split_model
from ..batch.attached import taken
from ..batch.options import address_of, checked_count, checked_name, checked_options
from ..clock import Clock, Deadline
from ..errors import ConfigurationError, InvalidInputError
from ..fields import is_file
from ..files.inputs import files_in
from .client import PartitionClient, ends_all
from .columns import GENERATED, columns_of, error_columns, joined, outcome_columns, refuse_clashes
from .loop import carried_out
from .rows import Prepared, Recipe, look_in
from .tables import check_table, looks, with_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ..batch.options import Options
    from ..batch.outcome import Outcome
    from ..settings import Settings
    from .rows import Look

logger = logging.getLogger("wavespeed_client")

# Retries of a submission that cannot be sent. With their pauses they take some minutes, so that a short outage does not
# end the work of hours.
RETRIES = 9


def _fields(given: object) -> dict[str, str]:
    if isinstance(given, Mapping):
        return dict(cast("Mapping[str, str]", given))
    if isinstance(given, str) or not isinstance(given, Iterable):
        return {}
    names = list(cast("Iterable[str]", given))
    return {name: name for name in names} if _are_names(names) else {}


def _names(given: object) -> tuple[str, ...]:
    names = tuple(cast("Iterable[str]", given)) if isinstance(given, Iterable) else (given,)
    if isinstance(given, str) or not _are_names(names):
        raise InvalidInputError("files must be a list of fields.")
    return cast("tuple[str, ...]", names)


def _are_names(given: Iterable[object]) -> bool:
    return all(isinstance(name, str) and name for name in given)


@frozen(eq=False)
class Generate:
    """Submit a task for each row, and add the results to the rows. May be executed again at any time.

    Each row is paid for once, even if it is executed several times or on several workers: before anything is sent, its
    input and its key are looked up in the journal. Rows with the same input and key share a task.

    Call it with a pyarrow table, as in `dataset.map_batches(generate, batch_format="pyarrow")`; `rows` takes dicts. It
    adds the columns task_id, status, outputs (text; an object as JSON), error, error_type, uncertain, inference_ms and
    created_at. Errors of a row are in its columns. Errors that affect all rows are raised: of the configuration, the
    key or the database, or if the service cannot be reached for minutes.

    The API key and the other settings of the client come from the environment of the process that calls it.

    Attributes:
        model: The model's id.
        fields: The columns that are sent, named like the model's fields; or a mapping of fields to columns. Missing
            values (None, NaN) are not sent.
        key: The column that identifies a row.
        journal: The database: `env:NAME`, an environment variable of each worker that holds its URL; `service=NAME`; or
            a URL without a password.
        batch: The batch's name. Under another name, every row is paid for again.
        input: Fields that are the same for each row.
        files: The fields whose bytes are uploaded as files.
        max_in_flight: Tasks at once, in each call.
        max_per_minute: Submissions within any 60 seconds, in each call.
        timeout: Seconds to wait for a task, and for the database. None: no limit for a task, 10 minutes for the
            database.
        max_cost: Limit for each task, in USD. Its price is requested before each submission.
        prefix: Prefix for the names of the added columns.

    Raises:
        InvalidInputError: An argument is wrong.
        ConfigurationError: `journal` is not the address of a database, or holds a password.
    """

    model: str
    fields: Mapping[str, str] = field(kw_only=True, converter=_fields)
    key: str = field(kw_only=True)
    journal: str = field(kw_only=True)
    batch: str = field(kw_only=True)
    input: Mapping[str, Any] = field(kw_only=True, factory=dict[str, Any], converter=input_fields)
    files: Sequence[str] = field(kw_only=True, default=(), converter=_names)
    max_in_flight: int = field(kw_only=True, default=100)
    max_per_minute: int | None = field(kw_only=True, default=None)
    timeout: float | None = field(kw_only=True, default=600.0)
    max_cost: float | None = field(kw_only=True, default=None)
    prefix: str = field(kw_only=True, default="")

    def __attrs_post_init__(self) -> None:
        split_model(self.model)
        _check_journal(self.journal)
        checked_name(self.batch)
        checked_count("max_in_flight", self.max_in_flight)
        if self.max_per_minute is not None:
            checked_count("max_per_minute", self.max_per_minute)
        Deadline.after(self.timeout, Clock())
        check_limit(self.max_cost)
        self._check_columns()

    def _check_columns(self) -> None:
        if not self.fields or not _are_names([self.key, *self.fields, *self.fields.values()]):
            raise InvalidInputError("fields must be a list of columns or a mapping of fields to columns, key a column.")
        if both := self.fields.keys() & self.input.keys():
            raise InvalidInputError(f"{', '.join(sorted(both))} is in fields and in input: a field has one value.")
        if others := set(self.files) - self.fields.keys():
            raise InvalidInputError(f"files names {', '.join(sorted(others))}, which is not among the fields.")
        if not isinstance(cast("object", self.prefix), str):
            raise InvalidInputError("prefix must be text.")
        taken(self.input)  # raises for a value that cannot be sent
        for place, file in files_in(dict(self.input)).items():
            if is_file(file) and not hasattr(file, "__fspath__"):
                raise InvalidInputError(f"{place[0]} in input is an open file, which workers do not have: pass a path.")

    def __call__(self, table: Any) -> Any:
        """Return the table with the added columns.

        Raises:
            ConfigurationError: This is not a pyarrow table, it lacks a column or already has an added one; the database
                cannot be used; or there is no API key.
            WaveSpeedError: The service cannot be reached, refuses the key or the account, or does not know the model.
        """
        check_table(table)
        refuse_clashes(table.column_names, GENERATED, self.prefix)
        found = self._found([*looks(table, self._recipe.needed)])
        return with_columns(table, found, GENERATED, self.prefix)

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows with the added columns.

        Raises:
            ConfigurationError: A row already has an added column; the database cannot be used; or there is no API key.
            WaveSpeedError: As for a table.
        """
        given = list(rows)
        for row in given:
            refuse_clashes(columns_of(row), GENERATED, self.prefix)
        return joined(given, self._found([look_in(row) for row in given]), self.prefix)

    @property
    def _recipe(self) -> Recipe:
        return Recipe(self.key, self.fields, self.input, frozenset(self.files))

    def _found(self, looks: Sequence[Look]) -> list[dict[str, Any]]:
        """Return the added columns of each row."""
        began = time.monotonic()
        found: dict[int, dict[str, Any]] = {}
        prepared: dict[int, Prepared] = {}
        for number, look in enumerate(looks):
            try:
                prepared[number] = self._recipe.prepare(look)
            except Exception as error:  # a value of the row may raise anything
                found[number] = error_columns(_explained(error))
        if prepared:
            outcomes = carried_out(self._outcomes(list(prepared.values())))
            found |= zip(prepared, map(outcome_columns, outcomes), strict=True)
        rows = [found[number] for number in range(len(looks))]
        self._log(rows, time.monotonic() - began)
        return rows

    async def _outcomes(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Return the outcomes of rows, in their order."""
        found: dict[int, Outcome] = {}
        async with PartitionClient() as client:
            inputs = [row.input for row in prepared]
            options = self._options(client.settings, inputs, [row.name for row in prepared])
            async with aclosing(client.carry_out(options, inputs)) as outcomes:
                async for outcome in outcomes:
                    if ends_all(outcome):
                        outcome.result()
                    found[outcome.index] = outcome
        return [found[number] for number in range(len(inputs))]

    def _options(self, settings: Settings, inputs: Sequence[dict[str, Any]], names: Sequence[str]) -> Options:
        options = checked_options(
            settings,
            self.model,
            inputs,
            self.max_in_flight,
            self.max_per_minute,
            self.timeout,
            self.journal,
            None,
            self.batch,
            self.max_cost,
        )
        return evolve(options, names=names, max_retries=max(RETRIES, options.max_retries))

    def _log(self, rows: Sequence[Mapping[str, Any]], seconds: float) -> None:
        if not rows:
            return
        uncertain = sum(row["uncertain"] for row in rows)
        failed = sum(row["error"] is not None for row in rows) - uncertain
        logger.info(
            "Batch %r: a partition of %d inputs, %d done, %d failed, %d uncertain, in %.1f s",
            self.batch,
            len(rows),
            len(rows) - failed - uncertain,
            failed,
            uncertain,
            seconds,
        )


def _explained(error: Exception) -> Exception:
    return error if isinstance(error, InvalidInputError) else InvalidInputError(f"The row cannot be read: {error!r}")


def _check_journal(journal: str | PathLike[str]) -> None:
    if not isinstance(journal, str):
        raise ConfigurationError("The journal must be a database, which all workers reach: env:NAME, or service=NAME.")
    if not journal.startswith("env:") and address_of(journal).has_password:
        raise ConfigurationError(
            "The journal holds a password, which would be pickled: pass env:NAME, and set the variable for each worker."
        )
