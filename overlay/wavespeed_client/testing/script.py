"""Scripts: the statuses that a task of the stand-in goes through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from attrs import define, frozen

RUNNING = ("created", "pending", "processing")
# The service sends a task's webhook for these statuses.
WEBHOOK_STATUSES = ("completed", "failed")

# The last moment that datetime can represent, in milliseconds since 1970.
LAST_MILLISECOND = 253402300799000

Output = str | dict[str, Any]


@frozen
class Script:
    """The statuses of a task: one for each response, and the last one from then on."""

    statuses: tuple[str, ...] = ("created", "processing", "completed")
    outputs: tuple[Output, ...] | None = None
    error: str = ""
    code: int = 0

    @classmethod
    def checked(cls, statuses: Sequence[object], outputs: Sequence[Output] | None) -> Script:
        """Build a script from unchecked statuses and outputs.

        Raises:
            ValueError: A status is missing or not a string, or the outputs are not a list of strings and objects.
        """
        words = tuple(word for word in statuses if isinstance(word, str) and word)
        if not words or len(words) != len(statuses):
            raise ValueError("A script needs at least one status, such as 'created', 'processing', 'completed'.")
        if outputs is not None and not _are_outputs(outputs):
            raise ValueError("outputs must be a list of strings or objects, such as ['https://example.com/1.png'].")
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
    times_returned: int = 0

    @property
    def status(self) -> str:
        """The status as last returned to a client."""
        return self.script.statuses[min(max(self.times_returned, 1), len(self.script.statuses)) - 1]

    @property
    def ended(self) -> bool:
        """Whether the task has ended, so that its record can be deleted."""
        return self.status not in RUNNING

    def finish(self) -> None:
        """Go to the last status."""
        self.times_returned = len(self.script.statuses)

    def state(self, url: str) -> dict[str, Any]:
        """Return the task's current prediction.

        Args:
            url: The stand-in's base URL.
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
        """Return whether the task matches the filters of a list."""
        if query.get("model", self.model) != self.model or query.get("status", self.status) != self.status:
            return False
        return self.created_between(query.get("created_after"), query.get("created_before"))

    def created_between(self, after: str | None, before: str | None) -> bool:
        """Return whether the task was submitted between two moments."""
        created = _moment(self.created_at)
        if after and created <= _moment(after):
            return False
        return not before or created < _moment(before)

    def bills(self, query: dict[str, Any]) -> bool:
        """Return whether the task's billing record matches a search. The key is not compared: the account has one."""
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
    """Parse milliseconds since 1970, or ISO 8601 (in UTC if it has no zone)."""
    if text.isdecimal():
        return datetime.fromtimestamp(min(int(text), LAST_MILLISECOND) / 1000, UTC)
    found = datetime.fromisoformat(text.upper())  # RFC 3339 allows lower case
    return found if found.tzinfo else found.replace(tzinfo=UTC)
