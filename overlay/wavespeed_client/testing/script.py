"""Scripts: the statuses that a task of the stand-in goes through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import define, frozen

RUNNING = ("created", "pending", "processing")
# The service sends a task's webhook for these statuses.
WEBHOOK_STATUSES = ("completed", "failed")

# The first moment of 1970 and the last one that datetime can represent, in milliseconds since 1970.
FIRST, LAST = "0", "253402300799000"

Output = str | dict[str, Any]


@frozen
class Script:
    """The statuses of a task: one for each response, and the last one from then on."""

    statuses: tuple[str, ...] = ("created", "processing", "completed")
    outputs: tuple[Output, ...] | None = None
    error: str = ""
    code: int = 0


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
        """Return whether the task matches the filters of a list, of usage or of billings.

        The key is not compared: the account has one.

        Raises:
            ValueError: A moment cannot be read.
        """
        created = _moment(self.created_at)
        return (
            query.get("model", query.get("model_uuid", self.model)) == self.model
            and query.get("status", self.status) == self.status
            and query.get("billing_type", "deduct") == "deduct"
            and self.id in query.get("prediction_uuids", [self.id])
            and _moment(query.get("created_after", FIRST)) < created < _moment(query.get("created_before", LAST))
            and _moment(query.get("start_time", FIRST)) <= created < _moment(query.get("end_time", LAST))
        )


def _moment(text: str) -> datetime:
    """Parse milliseconds since 1970, or ISO 8601 (in UTC if it has no zone)."""
    if text.isdecimal():
        return datetime.fromtimestamp(min(int(text), int(LAST)) / 1000, UTC)
    found = datetime.fromisoformat(text.upper())  # RFC 3339 allows lower case
    return found if found.tzinfo else found.replace(tzinfo=UTC)
