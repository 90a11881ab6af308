"""The journal of a batch: a file that remembers what was submitted, so that a killed run can go on.

It is text, one JSON object a line, written as it happens and never changed afterwards. The first line says what
it is and where its tasks are, so that no run takes those of a stand-in for real; every other one tells what happened
to the input with that `number`, and `at` what time:

    {"journal": "wavespeed-client", "version": 1, "base_url": "https://api.wavespeed.ai"}
    {"number": 1, "event": "planned", "at": "...", "model": "wavespeed-ai/flux-dev", "input": {"prompt": "A cat"}}
    {"number": 1, "event": "submitting", "at": "..."}
    {"number": 1, "event": "submitted", "at": "...", "task": {"id": "...", "status": "created", ...}}
    {"number": 1, "event": "finished", "at": "...", "task": {"id": "...", "status": "completed", ...}}

The last event of an input decides what the next run with this file does when it meets an equal input for the
same model; the order of the inputs is of no matter, and two that are equal have a number each:

    planned      nothing was sent: it is submitted
    submitting   the request was about to leave and no answer came: it is uncertain, and not sent again
    submitted    its task is waited for by its id
    refused      nothing was started (`error` says why): it is submitted
    uncertain    the response was lost: it is reported as such, and not sent again (`task_id` names its task, if known)
    finished     its task, outputs included, is handed out from here; nothing is asked for
    failed       so is its failed task: run it with another journal to try it again

`submitting` is written before the request leaves, `submitted` when its answer has come. Each line is handed to the
operating system at once, so the death of the process loses none, however it comes. A power cut may lose those of
the last seconds: look with `tasks()` before you go on then.

The service itself keeps tasks for 7 days. A submitted one that it no longer has is reported as not found by each run:
use another journal for its input to submit it again.

A line that was cut off at the end of the file is removed, or ended if it is whole. Anything else that does not
belong there is refused and left as it is. The file is locked while a run uses it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from array import array
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, cast

from attrs import define, field, frozen

from wavespeed_api.models import Prediction

from ..errors import ConfigurationError, InvalidInputError
from ..parsing import task_from_prediction
from ..task import is_task_id

if TYPE_CHECKING:
    from pathlib import Path

    from ..task import Task

# In the order in which equal inputs are served: what has its outcome first.
EVENTS = ("finished", "failed", "submitted", "uncertain", "submitting", "refused", "planned")
WITH_TASK = frozenset({"finished", "failed", "submitted"})


@frozen
class Entry:
    """An input of an earlier run, as its last line tells.

    Attributes:
        number: Its number in the journal.
        event: What happened to it last.
        at: When; for an uncertain one, when it was submitted.
        task: The task that the line tells of.
        task_id: The task that an uncertain submission probably started.
    """

    number: int
    event: str
    at: datetime
    task: Task | None = None
    task_id: str | None = None


@define(eq=False)
class Journal:
    """An open journal. What it keeps in memory is a few bytes for each input of earlier runs."""

    path: Path
    base_url: str
    _file: io.FileIO
    _count: int = field(init=False, default=0)
    _broken: bool = field(init=False, default=False)
    # For each number of an earlier run the index of its last event, and where in the file that is told.
    _events: bytearray = field(init=False, factory=lambda: bytearray(1))
    _places: array[int] = field(init=False, factory=lambda: array("q", [0]))
    _numbers: dict[bytes, tuple[int, ...]] = field(init=False, factory=dict[bytes, tuple[int, ...]])

    @classmethod
    def opened(cls, path: Path, base_url: str) -> Journal:
        """The journal in a file, which is made if there is none.

        Raises:
            InvalidInputError: The file cannot be used, is used by another run, is no journal, or one of tasks that
                are not at this base URL.
        """
        try:
            file = io.FileIO(path, "a+")
            try:
                journal = cls(path, base_url, file)
                journal._lock()
                journal._load()
            except BaseException:
                file.close()
                raise
        except InvalidInputError:
            raise
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"The journal {str(path)!r} cannot be used: {error}.") from error
        return journal

    def claim(self, model: str, input: dict[str, Any]) -> Entry | None:
        """What an earlier run did with such an input; None for one that is new. Each entry is given out once."""
        numbers = self._numbers.pop(_key(model, input), ())
        if not numbers:
            return None
        number = min(numbers, key=lambda number: (self._events[number], number))
        if len(numbers) > 1:
            self._numbers[_key(model, input)] = tuple(other for other in numbers if other != number)
        return self._entry(number, model)

    def planned(self, model: str, input: dict[str, Any]) -> int:
        """Write down an input that is new here; returns its number."""
        self._count += 1
        self.write(self._count, "planned", model=model, input=input)
        return self._count

    def write(self, number: int, event: str, **fields: Any) -> None:
        """Write down what happened to an input.

        Raises:
            ConfigurationError: It cannot be written, now or before: nothing more may be sent.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._append(_line({"number": number, "event": event, "at": now, **fields}))

    def close(self) -> None:
        """Close the file and give up its lock."""
        self._file.close()

    def _lock(self) -> None:
        from filelock import lock_descriptor

        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            raise InvalidInputError(f"The journal {str(self.path)!r} is not a file.")
        if not lock_descriptor(self._file.fileno(), blocking=False):
            message = f"The journal {str(self.path)!r} is in use: each run needs one of its own."
            raise InvalidInputError(message)

    def _load(self) -> None:
        header = header_for(self.base_url)
        begin = self._read(0, len(header))
        if not header.startswith(begin):
            self._refuse()
        if begin != header:  # new, or cut off while it was begun
            self._file.truncate(0)
            self._append(header)
            return
        place = self._file.seek(len(header))
        lines = io.BufferedReader(self._file, 1 << 20)
        for line_number, line in enumerate(lines, 2):
            if line.endswith(b"\n") or _is_whole(line):
                self._take_in(line, place, line_number)
            place += len(line)
            if not line.endswith(b"\n"):
                self._mend(line, place)
        lines.detach()

    def _refuse(self) -> NoReturn:
        first_line = self._read(0, 1 << 12).partition(b"\n")[0]
        base_url = _base_url_in(first_line)
        if base_url is None or first_line + b"\n" != header_for(base_url):
            raise InvalidInputError(
                f"{str(self.path)!r} is no journal of this version, and was left as it is. Name a file that is new."
            )
        raise InvalidInputError(
            f"The tasks in the journal {str(self.path)!r} are at {base_url!r}, and this client is for "
            f"{self.base_url!r}. If that is another service, name another file, which submits every input anew; if it "
            "is the same one, change the journal's first line."
        )

    def _mend(self, line: bytes, end: int) -> None:
        """End the last line, or remove it if it was cut off."""
        if _is_whole(line):
            self._append(b"\n")
        else:
            self._file.truncate(end - len(line))

    def _take_in(self, line: bytes, place: int, line_number: int) -> None:
        try:
            self._believe(json.loads(line), place)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise InvalidInputError(
                f"The journal {str(self.path)!r} is broken at line {line_number} ({error}): mend or remove that line. "
                "Nothing was changed."
            ) from error

    def _believe(self, record: Any, place: int) -> None:
        number, event = record["number"], EVENTS.index(record["event"])
        _moment(record)
        if record["event"] in WITH_TASK and not is_task_id(record["task"]["id"]):
            raise ValueError("no usable task id")
        if record["event"] == "planned":
            if number != self._count + 1:
                raise ValueError(f"number {self._count + 1} was to be expected")
            key = _key(record["model"], record["input"])
            self._numbers[key] = (*self._numbers.get(key, ()), number)
            self._count = number
            self._events.append(event)
            self._places.append(place)
        elif isinstance(number, int) and 1 <= number <= self._count:
            self._events[number], self._places[number] = event, place
        else:
            raise ValueError("no input with that number was planned")

    def _entry(self, number: int, model: str) -> Entry:
        record = json.loads(self._line_at(self._places[number]))
        raw = cast("dict[str, Any] | None", record.get("task"))
        task = None if raw is None else task_from_prediction(Prediction.from_dict(raw), raw, model=model)
        task_id = record.get("task_id")
        return Entry(number, record["event"], _moment(record), task, task_id if is_task_id(task_id) else None)

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
        try:
            if self._broken:
                raise OSError("an earlier line could not be written")
            while data:
                data = data[self._file.write(data) or 0 :]
        except (OSError, ValueError) as error:
            self._broken = True  # a line after half a line would be lost with it
            raise ConfigurationError(
                f"The journal {str(self.path)!r} cannot be written ({error}), so nothing more is sent. What was "
                "submitted and is not told in it is listed by tasks()."
            ) from error


def header_for(base_url: str) -> bytes:
    """The first line of a journal."""
    return _line({"journal": "wavespeed-client", "version": 1, "base_url": base_url})


def _base_url_in(header: bytes) -> str | None:
    try:
        return str(json.loads(header)["base_url"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _key(model: str, input: dict[str, Any]) -> bytes:
    """What equal inputs for the same model have in common, and no others."""
    return hashlib.sha256(json.dumps([model, input], sort_keys=True).encode()).digest()[:16]


def _line(record: dict[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which an answer may hold
        return json.dumps(record).encode() + b"\n"


def _moment(record: dict[str, Any]) -> datetime:
    moment = datetime.fromisoformat(record["submitted_at" if record["event"] == "uncertain" else "at"])
    return moment.astimezone(UTC)


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
