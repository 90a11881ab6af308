"""Script: what a task of the stand-in goes through, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from attrs import define, frozen

RUNNING = ("created", "pending", "processing")
# The service calls the webhook of a task for these two.
WEBHOOK_STATUSES = ("completed", "failed")

# What the calendar ends with, in milliseconds since 1970.
LAST_MILLISECOND = 253402300799000

Output = str | dict[str, Any]


@frozen
class Script:
    """The statuses that a task goes through, one for each time it is told; it stays at the last one."""

    statuses: tuple[str, ...] = ("created", "processing", "completed")
    outputs: tuple[Output, ...] | None = None
    error: str = ""
    code: int = 0

    @classmethod
    def checked(cls, statuses: Sequence[object], outputs: Sequence[Output] | None) -> Script:
        """A script of these statuses.

        Raises:
            ValueError: There is none, one is no word, or the outputs are no sequence of texts and objects.
        """
        words = tuple(word for word in statuses if isinstance(word, str) and word)
        if not words or len(words) != len(statuses):
            raise ValueError("A script needs one status or more, such as 'created', 'processing', 'completed'.")
        if outputs is not None and not _are_outputs(outputs):
            raise ValueError("outputs must be a list of texts or objects, as in ['https://example.com/1.png'].")
        return cls(words, None if outputs is None else tuple(outputs))


@define
class ScriptedTask:
    """A task that was submitted to the stand-in."""

    id: str
    model: str
    script: Script
    created_at: str
    input: dict[str, Any]
    webhook: str | None
    times_told: int = 0

    @property
    def status(self) -> str:
        """Its status as it was told last."""
        return self.script.statuses[min(max(self.times_told, 1), len(self.script.statuses)) - 1]

    @property
    def ended(self) -> bool:
        """Whether its record can be deleted."""
        return self.status not in RUNNING

    def finish(self) -> None:
        """Go to the script's end."""
        self.times_told = len(self.script.statuses)

    def state(self, url: str) -> dict[str, Any]:
        """The prediction as it stands.

        Args:
            url: Where the stand-in listens.
        """
        status, script = self.status, self.script
        outputs = (f"{url}/media/{self.id}/1.jpeg",) if script.outputs is None else script.outputs
        return {
            "id": self.id,
            "model": self.model,
            "status": status,
            "outputs": list(outputs) if status == "completed" else [],
            "urls": {"get": f"{url}/api/v3/predictions/{self.id}/result"},
            "created_at": self.created_at,
            "error": script.error if status == "failed" else "",
            "code": script.code if status == "failed" else 0,
            "timings": {"inference": 1200 if status in WEBHOOK_STATUSES else 0},
        }

    def fits(self, query: dict[str, Any]) -> bool:
        """Whether a list with these filters holds the task."""
        if query.get("model", self.model) != self.model or query.get("status", self.status) != self.status:
            return False
        return self.created_between(query.get("created_after"), query.get("created_before"))

    def created_between(self, after: str | None, before: str | None) -> bool:
        """Whether it was submitted after the one moment and before the other."""
        created = _moment(self.created_at)
        if after and created <= _moment(after):
            return False
        return not before or created < _moment(before)

    def bills(self, query: dict[str, Any]) -> bool:
        """Whether a search of bills finds the charge for the task. The account has one key, whichever is asked for."""
        created = _moment(self.created_at)
        return (
            query.get("billing_type", "deduct") == "deduct"
            and ("start_time" not in query or _moment(query["start_time"]) <= created)
            and ("end_time" not in query or created < _moment(query["end_time"]))
            and self.id in query.get("prediction_uuids", [self.id])
            and query.get("model_uuid", self.model) == self.model
        )


def _are_outputs(value: object) -> bool:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        return False
    return all(isinstance(one, str | dict) for one in cast("Sequence[object]", value))


def _moment(text: str) -> datetime:
    """A moment as the service takes it: milliseconds since 1970, or ISO 8601, in UTC unless it names a zone."""
    if text.isdecimal():
        return datetime.fromtimestamp(min(int(text), LAST_MILLISECOND) / 1000, UTC)
    found = datetime.fromisoformat(text.upper())  # RFC 3339 allows small letters
    return found if found.tzinfo else found.replace(tzinfo=UTC)
