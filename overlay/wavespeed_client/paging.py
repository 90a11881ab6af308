"""Pages: which to ask for next, and what of it is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from attrs import define, field

from wavespeed_api import models

from .answers import expected
from .task import task_from_prediction

if TYPE_CHECKING:
    from wavespeed_api.models import Billing, BillingQuery, PredictionQuery

    from .task import Task

PAGE_SIZE = 100

Query = TypeVar("Query", "PredictionQuery", "BillingQuery")


@define
class Pages(Generic[Query]):
    """The pages of one listing, newest first.

    While pages are read, new items push older ones on to the next page, so an item may come twice.
    """

    query: Query
    more: bool = field(init=False, default=True)
    _seen: frozenset[str] = field(init=False, default=frozenset())

    def turn(self, ids: list[str]) -> frozenset[str]:
        """Go on to the next page; returns the ids of the page before. A short page is the last."""
        before, self._seen = self._seen, frozenset(ids)
        # A page that brings nothing new is the last too, lest a service that ignores the number goes on for ever.
        self.more = len(ids) >= PAGE_SIZE and not self._seen <= before
        self.query.page += 1
        return before


class TaskPages(Pages["PredictionQuery"]):
    """The pages of a listing of tasks."""

    def take(self, envelope: object, answer: Any) -> list[Task]:
        """The tasks of a page that were not on the one before."""
        if not isinstance(envelope, models.PredictionPageEnvelope):
            raise TypeError("the answer is not the envelope of a page")
        raw = answer["data"]["items"]
        if raw is not None and not isinstance(raw, list):
            raise TypeError("the items are not a list")
        pairs = zip(envelope.data.items or [], cast("list[dict[str, Any]]", raw or []), strict=True)
        tasks = [task_from_prediction(item, data, model="") for item, data in pairs]
        before = self.turn([task.id for task in tasks])
        return [task for task in tasks if task.id not in before]


class BillingPages(Pages["BillingQuery"]):
    """The pages of a listing of billing records."""

    def take(self, envelope: object) -> list[Billing]:
        """The records of a page that were not on the one before."""
        records = expected(envelope, models.BillingPageEnvelope).data.items or []
        before = self.turn([record.uuid for record in records])
        return [record for record in records if record.uuid not in before]
