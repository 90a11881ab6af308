"""The journal in a file. It records what was submitted, so that a new run can continue a killed one.

The file is text, with one JSON object per line. Lines are appended as things happen and never changed. The first line
has the format and the base URL, so that no run takes the tasks of a stand-in for real ones. Every other line is an
event of the input with that `number`, and `at` is its time:

    {"journal": "wavespeed-client", "version": 1, "base_url": "https://api.wavespeed.ai"}
    {"number": 1, "event": "planned", "at": "...", "model": "wavespeed-ai/flux-dev", "input": {"prompt": "A cat"}}
    {"number": 1, "event": "submitting", "at": "...", "cost": 0.012}
    {"number": 1, "event": "submitted", "at": "...", "task": {"id": "...", "status": "created", ...}}
    {"number": 1, "event": "finished", "at": "...", "task": {"id": "...", "status": "completed", ...}}

A file in an input is written as {"$file": its SHA-256, "name": its name}. Inputs are equal if the contents of their
files are, whatever the names. A line without a number records the URL of an upload. Later runs use that URL as long as
the service keeps the file:

    {"event": "uploaded", "at": "...", "digest": "...", "url": "https://..."}

The last event of an input decides what the next run with this file does with an equal input for the same model. The
order of inputs does not matter. Equal inputs have different numbers:

    planned      nothing was sent: the run submits it
    submitting   the request was about to be sent, and no response is known: uncertain, and not sent again
    submitted    the run waits for the task by its id
    refused      nothing was started (`error` says why): the run submits it
    uncertain    the response was lost: the run reports that, and does not send it again (`task_id`: its probable task)
    finished     the run yields the task and its outputs from the journal, without a request
    failed       the run yields the failed task from the journal; with `retry_failed` it submits the input again

`submitting` is written before the request is sent, with the price in USD if one was quoted; `submitted` when its
response has come. Each line is passed to the operating system at once, so nothing is lost when the process dies. A
power failure may lose the last seconds: look with `tasks()` before you continue after one.

The service keeps tasks for 7 days. If a submitted task no longer exists, each run reports it as not found. To submit
its input again, use another journal.

An incomplete last line is removed; if only its line break is missing, that is added. Any other damage is an error, and
the file is left unchanged. The file is locked while a run uses it.
"""

from __future__ import annotations

import io
import json
import os
import stat
import threading
from array import array
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import define, field

from ..errors import ConfigurationError, InvalidInputError
from ..files.register import Register, Upload
from ..task import is_task_id
from . import lines
from .journal import BILLED, EVENTS, Entry, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .journal import Item, Note

WITH_TASK = frozenset({"finished", "failed", "submitted"})


@define(eq=False)
class TextJournal:
    """A journal in a file, for one base URL. It takes a few bytes of memory for each input of earlier runs."""

    path: Path
    base_url: str
    _file: io.FileIO = field(init=False)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    _count: int = field(init=False, default=0)
    _broken: bool = field(init=False, default=False)
    _links: int = field(init=False, default=0)
    # For each number of an earlier run: the index of its last event, and the position of that line in the file.
    _events: bytearray = field(init=False, factory=lambda: bytearray(1))
    _places: array[int] = field(init=False, factory=lambda: array("q", [0]))
    _numbers: dict[bytes, tuple[int, ...]] = field(init=False, factory=dict[bytes, tuple[int, ...]])
    _costs: dict[int, float] = field(init=False, factory=dict[int, float])
    _register: Register = field(init=False, factory=Register)

    def prepare(self) -> None:
        """Open the file, or create it, and lock it.

        Raises:
            InvalidInputError: The file cannot be used, is used by another run, is not a journal, or is a journal for
                another base URL.
        """
        try:
            self._file = io.FileIO(self.path, "a+")
            try:
                self._lock_file()
                self._load()
            except BaseException:
                self._file.close()
                raise
        except InvalidInputError:
            raise
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"The journal {str(self.path)!r} cannot be used: {error}.") from error

    def look(self, item: Item) -> Entry:
        """Return the entry of an input, and record the input if it is new. Each entry is returned once in a run."""
        with self._lock:
            return self._known(item) or self._planned(item)

    def reserve(self, entry: Entry) -> Entry:
        """Record that an input is about to be submitted. The entry stays the same: no other run can use this file."""
        self._write(entry.key, "submitting", cost=entry.cost)
        return entry

    def write(self, notes: Sequence[Note]) -> None:
        """Record events.

        Raises:
            ConfigurationError: The file cannot be written, now or before: nothing more may be sent.
        """
        for note in notes:
            uncertain = {"error": note.error, "submitted_at": note.submitted_at, "task_id": note.task_id}
            self._write(note.entry.key, note.event, task=note.task, **uncertain)

    def spent(self) -> list[float]:
        """Return the price quoted for each task of earlier runs that may be billed, in USD."""
        return [cost for number, cost in self._costs.items() if EVENTS[self._events[number]] in BILLED]

    def uploads(self, digests: Sequence[str]) -> list[Upload]:
        """Return the uploads of these contents that the service still keeps."""
        with self._lock:
            found = [self._register.find(digest, datetime.now(UTC)) for digest in digests]
        return [upload for upload in found if upload is not None]

    def uploaded(self, uploads: Sequence[Upload]) -> None:
        """Record uploads that are not recorded yet."""
        with self._lock:
            for upload in uploads:
                if self._register.find(upload.digest, datetime.now(UTC)) != upload:
                    values = {"at": upload.at, "digest": upload.digest, "url": upload.url}
                    self._append(lines.line({"event": lines.UPLOADED, **values}))
                    self._register.keep(upload)

    def own_threads(self) -> list[int]:
        """Return an empty list: this journal has no threads."""
        return []

    def close(self) -> None:
        """Close the file, which releases its lock."""
        self._file.close()

    def _known(self, item: Item) -> Entry | None:
        key = _key(item.digest)
        numbers = self._numbers.pop(key, ())
        if not numbers:
            return None
        number = min(numbers, key=lambda number: (self._events[number], number))
        if len(numbers) > 1:
            self._numbers[key] = tuple(other for other in numbers if other != number)
        return self._entry(number, item.model)

    def _planned(self, item: Item) -> Entry:
        self._count += 1
        now = datetime.now(UTC)
        self._append(lines.planned(self._count, now, item.model, item.json))
        return Entry(self._count, "planned", now)

    def _write(self, number: object, event: str, **values: object) -> None:
        line = lines.event(number, event, datetime.now(UTC), **values)
        with self._lock:
            self._append(line)

    def _lock_file(self) -> None:
        from filelock import lock_descriptor

        status = os.fstat(self._file.fileno())
        self._links = min(status.st_nlink, 1)  # some file systems count none
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInputError(f"The journal {str(self.path)!r} is not a file.")
        if not lock_descriptor(self._file.fileno(), blocking=False):
            raise InvalidInputError(
                f"The journal {str(self.path)!r} is in use by another run: wait for its end, or name another file."
            )

    def _load(self) -> None:
        header = lines.header_for(self.base_url)
        begin = self._read(0, len(header))
        if not header.startswith(begin):
            self._refuse()
        if begin != header:  # a new file, or an incomplete first line
            self._file.truncate(0)
            self._append(header)
            return
        place = self._file.seek(len(header))
        reader = io.BufferedReader(self._file, 1 << 20)
        for line_number, line in enumerate(reader, 2):
            if not line.endswith(b"\n") and not lines.is_whole(line):
                self._file.truncate(place)
                break
            self._take_in(line, place, line_number)
            if not line.endswith(b"\n"):
                self._append(b"\n")
            place += len(line)
        reader.detach()

    def _refuse(self) -> NoReturn:
        first_line = self._read(0, 1 << 12).partition(b"\n")[0]
        base_url = _base_url_in(first_line)
        if base_url is None or first_line + b"\n" != lines.header_for(base_url):
            raise InvalidInputError(
                f"{str(self.path)!r} is not a journal of this version, and was left as it is. Name a new file."
            )
        raise InvalidInputError(
            f"The journal {str(self.path)!r} is for {base_url!r}, but this client is for {self.base_url!r}. If these "
            "are different services, name another file: every input is then submitted again. If they are the same, "
            "change the journal's first line."
        )

    def _take_in(self, line: bytes, place: int, line_number: int) -> None:
        try:
            self._believe(json.loads(line), place)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise InvalidInputError(
                f"The journal {str(self.path)!r} is broken at line {line_number} ({error}): repair or remove that "
                "line. Nothing was changed."
            ) from error

    def _believe(self, record: Any, place: int) -> None:
        if record["event"] == lines.UPLOADED:
            digest, url = record["digest"], record["url"]
            if not isinstance(digest, str) or not isinstance(url, str):
                raise TypeError("digest and url must be text")
            self._register.keep(Upload(digest, url, _moment(record)))
            return
        number, event = record["number"], EVENTS.index(record["event"])
        _moment(record)
        if record["event"] in WITH_TASK and not is_task_id(record["task"]["id"]):
            raise ValueError("no usable task id")
        if record["event"] == "planned":
            if number != self._count + 1:
                raise ValueError(f"expected number {self._count + 1}")
            key = _key(digest_of(record["model"], record["input"]))
            self._numbers[key] = (*self._numbers.get(key, ()), number)
            self._count = number
            self._events.append(event)
            self._places.append(place)
        elif isinstance(number, int) and 1 <= number <= self._count:
            self._events[number], self._places[number] = event, place
            if record["event"] == "submitting":
                self._costs.pop(number, None)
                if (cost := lines.cost_in(record)) is not None:
                    self._costs[number] = cost
        else:
            raise ValueError("no input with that number was planned")

    def _entry(self, number: int, model: str) -> Entry:
        record = json.loads(self._line_at(self._places[number]))
        task, task_id = lines.task_in(record, model), lines.task_id_in(record)
        return Entry(number, record["event"], _moment(record), task, task_id, self._costs.get(number))

    def _line_at(self, place: int) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            line += self._read(place + len(line), 1 << 16)
            line = line[: line.find(b"\n") + 1] or line
        return line

    def _read(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size) or b""

    def _append(self, data: bytes) -> None:
        left = data
        try:
            if self._broken:
                raise OSError("an earlier line could not be written")
            if os.fstat(self._file.fileno()).st_nlink < self._links:
                raise OSError("it was deleted or replaced meanwhile")
            while left:
                left = left[self._file.write(left) or 0 :]
        except (OSError, ValueError) as error:
            self._take_back(len(data) - len(left))
            self._broken = True  # a line after an incomplete one could not be read
            raise ConfigurationError(
                f"The journal {str(self.path)!r} cannot be written ({error}), so nothing more is sent. It may lack "
                "tasks that were submitted: tasks() lists them."
            ) from error

    def _take_back(self, size: int) -> None:
        """Remove an incomplete line. It may lack only its line break, and would then report what did not happen."""
        with suppress(OSError, ValueError):
            self._file.truncate(os.fstat(self._file.fileno()).st_size - size)


def _base_url_in(header: bytes) -> str | None:
    try:
        return str(json.loads(header)["base_url"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _key(digest: bytes) -> bytes:
    return digest[:16]


def _moment(record: dict[str, Any]) -> datetime:
    """Return the time of a record's event; of an uncertain submission, the time when it was sent."""
    return lines.time_in(record, "submitted_at" if record["event"] == "uncertain" else "at")
