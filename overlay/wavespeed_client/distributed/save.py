"""Save the outputs of rows with tasks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from ..batch.options import checked_count
from ..errors import InvalidInputError
from ..files.download import fetch_async, write_inline
from ..files.save import place_in
from ..settings import DEFAULT_TIMEOUT
from ..task import Task, is_task_id
from .columns import SAVED, columns_of, joined, output_of, refuse_clashes, sound
from .folders import checked_folder, folder_for
from .loop import carried_out
from .rows import look_in
from .tables import check_table, looks, with_columns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from ..files.places import OwnFile
    from .folders import Folder
    from .rows import Look


@frozen(eq=False)
class Turns:
    """A limit on outputs saved at once. Rows that share a task save each of its outputs one after the other."""

    room: asyncio.Semaphore
    _locks: defaultdict[tuple[str, int], asyncio.Lock] = field(init=False, factory=lambda: defaultdict(asyncio.Lock))

    @asynccontextmanager
    async def of(self, task_id: str, number: int) -> AsyncGenerator[None]:
        """Wait for the turn of a task's output, and hold it."""
        async with self._locks[task_id, number], self.room:
            yield


@frozen(eq=False)
class Save:
    """Save the outputs of rows that `Generate` returned. May be executed again at any time.

    A file is named after its task's id and the output's number. Files that exist already are not fetched again. This
    needs no API key, because it only requests the files from their hosts.

    It adds two columns: saved, the paths or URLs of the files in the order of the outputs, with None for files that
    could not be saved; and save_error, the first error. Rows without a completed task have nothing to save.

    Attributes:
        folder: A folder that all workers can use, or a URL that fsspec knows, such as s3://bucket/cats.
        prefix: Prefix for the names of the columns of `Generate`, and of the added columns.
        max_at_once: Files at once, in each call.
        timeout: Seconds to wait for data from a host.

    Raises:
        ConfigurationError: The folder is invalid, or its URL holds a password.
        InvalidInputError: Another argument is wrong.
    """

    folder: str = field(converter=checked_folder)
    prefix: str = field(kw_only=True, default="")
    max_at_once: int = field(kw_only=True, default=16)
    timeout: float = field(kw_only=True, default=DEFAULT_TIMEOUT)

    def __attrs_post_init__(self) -> None:
        checked_count("max_at_once", self.max_at_once)
        if not isinstance(cast("object", self.prefix), str):
            raise InvalidInputError("prefix must be text.")
        if not isinstance(cast("object", self.timeout), int | float) or not self.timeout > 0:
            raise InvalidInputError("timeout must be a number of seconds above 0.")

    def __call__(self, table: Any) -> Any:
        """Save the outputs of a table's rows; return the table with the added columns.

        Raises:
            ConfigurationError: This is not a table from `Generate`, or the folder cannot be used.
            InvalidInputError: The folder cannot be created.
        """
        check_table(table)
        refuse_clashes(table.column_names, SAVED, self.prefix)
        needed = [self.prefix + name for name in ("task_id", "status", "outputs")]
        return with_columns(table, self._found(looks(table, needed)), SAVED, self.prefix)

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Save the outputs of rows; return the rows with the added columns.

        Raises:
            ConfigurationError: A row already has an added column, or the folder cannot be used.
            InvalidInputError: The folder cannot be created.
        """
        given = list(rows)
        for row in given:
            refuse_clashes(columns_of(row), SAVED, self.prefix)
        return joined(given, self._found([look_in(row) for row in given]), self.prefix)

    def _found(self, looks: Sequence[Look]) -> list[dict[str, Any]]:
        return carried_out(self._saved(looks)) if looks else []

    async def _saved(self, looks: Sequence[Look]) -> list[dict[str, Any]]:
        turns = Turns(asyncio.Semaphore(self.max_at_once))
        with folder_for(self.folder) as folder:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._row(folder, turns, look)) for look in looks]
            return [task.result() for task in tasks]

    async def _row(self, folder: Folder, turns: Turns, look: Look) -> dict[str, Any]:
        try:
            task = self._task(look)
        except Exception as error:  # a value of the row may raise anything
            return {"saved": [], "save_error": sound(str(error))}
        ends = await asyncio.gather(*(self._output(folder, turns, task, number) for number in range(len(task.outputs))))
        errors = [sound(str(end) or type(end).__name__) for end in ends if isinstance(end, Exception)]
        paths = [None if isinstance(end, Exception) else sound(end) for end in ends]
        return {"saved": paths, "save_error": errors[0] if errors else None}

    def _task(self, look: Look) -> Task:
        """Return the completed task of a row; an empty one if the row has none.

        Raises:
            InvalidInputError: The row has a completed task without an id, or without a list of outputs.
        """
        id, status, outputs = (look(self.prefix + name) for name in ("task_id", "status", "outputs"))
        if status != "completed":
            return Task("", "", "")
        texts = list(cast("Iterable[object]", outputs)) if isinstance(outputs, Iterable) else [None]
        if not is_task_id(id) or isinstance(outputs, str) or not all(isinstance(text, str) for text in texts):
            raise InvalidInputError("The row has a completed task without its id or its list of outputs.")
        return Task(id, "", "completed", tuple(output_of(cast("str", text)) for text in texts))

    async def _output(self, folder: Folder, turns: Turns, task: Task, number: int) -> str | Exception:
        async with turns.of(task.id, number):
            try:
                found = await asyncio.to_thread(_at_hand, folder, task, number)
                if isinstance(found, str):
                    return found
                path = await fetch_async(task.outputs[number], found, self.timeout, None)
                return await asyncio.to_thread(folder.keep, path)
            except Exception as error:  # file systems of fsspec may raise anything
                return error


def _at_hand(folder: Folder, task: Task, number: int) -> str | OwnFile:
    """Return the path or URL of an output that needs no request; for others, the file to fetch it to."""
    place, inline = place_in(folder.here, task, number)
    found = folder.find(place)
    if found is None and inline is not None:
        found = folder.keep(write_inline(inline, place))
    return place if found is None else found
