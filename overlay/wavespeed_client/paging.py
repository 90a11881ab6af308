"""Pages: which to ask for next, and what of it is new."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from attrs import define

from wavespeed_api.models import PredictionPageEnvelope, PredictionQuery
from wavespeed_api.models.prediction_query_status import (
    PREDICTION_QUERY_STATUS_VALUES,
    PredictionQueryStatus,
    check_prediction_query_status,
)

from .errors import InvalidInputError
from .submission import split_model
from .task import task_from_prediction

if TYPE_CHECKING:
    from .task import Task

PAGE_SIZE = 100


@define
class TaskPages:
    """The pages of one listing of tasks, newest first.

    While pages are read, new tasks push older ones on to the next page, so a task may come twice.
    """

    query: PredictionQuery
    more: bool = True
    _seen: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, model: str | None, status: str | None, created_after: datetime | None, created_before: datetime | None
    ) -> TaskPages:
        """The pages for these filters.

        Raises:
            InvalidInputError: A model id or status that cannot be, or a time without a time zone.
        """
        query = PredictionQuery(page=1, page_size=PAGE_SIZE)
        if model is not None:
            split_model(model)
            query.model = model
        if status is not None:
            query.status = _status(status)
        if created_after is not None:
            query.created_after = aware(created_after, "created_after")
        if created_before is not None:
            query.created_before = aware(created_before, "created_before")
        return cls(query)

    def take(self, envelope: object, answer: Any) -> list[Task]:
        """The tasks of a page that were not on the one before. A short page is the last."""
        if not isinstance(envelope, PredictionPageEnvelope):
            raise TypeError("the answer is not the envelope of a page")
        raw = answer["data"]["items"]
        if raw is not None and not isinstance(raw, list):
            raise TypeError("the items are not a list")
        pairs = zip(envelope.data.items or [], cast("list[dict[str, Any]]", raw or []), strict=True)
        tasks = [task_from_prediction(item, data, model="") for item, data in pairs]
        fresh = [task for task in tasks if task.id not in self._seen]
        self._seen = frozenset(task.id for task in tasks)
        self.more = len(tasks) >= PAGE_SIZE
        self.query.page += 1
        return fresh


def _status(status: str) -> PredictionQueryStatus:
    try:
        return check_prediction_query_status(status)
    except TypeError:
        words = ", ".join(sorted(PREDICTION_QUERY_STATUS_VALUES))
        raise InvalidInputError(f"status must be one of {words}; this is {str(status)[:80]!r}.") from None


def aware(moment: object, name: str) -> datetime:
    """The moment itself, if it says where on earth it is meant.

    Raises:
        InvalidInputError: It is not a datetime, or has no time zone.
    """
    if not isinstance(moment, datetime):
        raise InvalidInputError(f"{name} must be a datetime, not {type(moment).__name__}.")
    if moment.utcoffset() is None:
        raise InvalidInputError(f"{name} has no time zone: write datetime(..., tzinfo=UTC), or use astimezone().")
    return moment
