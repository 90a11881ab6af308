"""Questions about tasks, use, bills and prices: what may be asked for, checked before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from wavespeed_api import models
from wavespeed_api.models.billing_query_billing_type import (
    BILLING_QUERY_BILLING_TYPE_VALUES,
    check_billing_query_billing_type,
)
from wavespeed_api.models.prediction_query_status import PREDICTION_QUERY_STATUS_VALUES, check_prediction_query_status

from .errors import CostLimitError, InvalidInputError
from .paging import PAGE_SIZE
from .submission import checked_input, split_model
from .task import task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wavespeed_api.models import Price, TaskInput

    from .task import Task

Word = TypeVar("Word", bound=str)

LONGEST_USAGE = timedelta(days=31)
DELETED_AT_ONCE = 100


def task_query(
    model: str | None, status: str | None, created_after: datetime | None, created_before: datetime | None
) -> models.PredictionQuery:
    """Which tasks to list.

    Raises:
        InvalidInputError: A model id or status that cannot be, or a time without a time zone.
    """
    query = models.PredictionQuery(page=1, page_size=PAGE_SIZE)
    if model is not None:
        query.model = _model(model)
    if status is not None:
        query.status = _word(status, "status", check_prediction_query_status, PREDICTION_QUERY_STATUS_VALUES)
    if created_after is not None:
        query.created_after = _aware(created_after, "created_after")
    if created_before is not None:
        query.created_before = _aware(created_before, "created_before")
    return query


def billing_query(
    billing_type: str | None, start: datetime | None, end: datetime | None, prediction_ids: Sequence[str]
) -> models.BillingQuery:
    """Which billing records to list.

    Raises:
        InvalidInputError: A type or id that cannot be, or a time without a time zone.
    """
    query = models.BillingQuery(page=1, page_size=PAGE_SIZE, sort="created_at DESC")
    if billing_type is not None:
        checked = _word(
            billing_type, "billing_type", check_billing_query_billing_type, BILLING_QUERY_BILLING_TYPE_VALUES
        )
        query.billing_type = checked
    if start is not None:
        query.start_time = _milliseconds(_aware(start, "start"))
    if end is not None:
        query.end_time = _milliseconds(_aware(end, "end"))
    if isinstance(prediction_ids, str) or not isinstance(prediction_ids, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise InvalidInputError("prediction_ids must be a list of ids.")
    if ids := [task_of(prediction_id).id for prediction_id in prediction_ids]:
        query.prediction_uuids = ids
    return query


def usage_query(start: datetime, end: datetime, model: str | None) -> models.UsageQuery:
    """Which use to add up.

    Raises:
        InvalidInputError: A time without a time zone, an end before its start, or more than 31 days.
    """
    query = models.UsageQuery(start_time=_aware(start, "start"), end_time=_aware(end, "end"))
    if not timedelta(0) < end - start <= LONGEST_USAGE:
        raise InvalidInputError("end must be after start, and at most 31 days after it: ask for longer spans in parts.")
    if model is not None:
        query.model_uuid = _model(model)
    return query


def price_query(model: str, input: Mapping[str, Any] | TaskInput | None) -> models.PriceQuery:
    """Which price to ask for.

    Raises:
        InvalidInputError: A model id or input that cannot be.
    """
    query = models.PriceQuery(model_id=_model(model))
    if input is not None:
        query.inputs = checked_input(input)
    return query


def deletions(tasks: Sequence[Task | str]) -> Iterator[list[str]]:
    """The ids to delete, as many at once as one request takes.

    Raises:
        InvalidInputError: No tasks, or something that is no task.
    """
    ids = [task_of(task).id for task in tasks]
    if not ids:
        raise InvalidInputError("delete needs at least one task or id.")
    return (ids[begin : begin + DELETED_AT_ONCE] for begin in range(0, len(ids), DELETED_AT_ONCE))


def checked_limit(max_cost: object) -> None:
    """Refuse a limit that is none, before anything is asked.

    Raises:
        InvalidInputError: It is not an amount of USD, 0 or more.
    """
    if max_cost is None:
        return
    if not isinstance(max_cost, int | float) or isinstance(max_cost, bool) or not 0 <= max_cost < math.inf:
        raise InvalidInputError("max_cost must be an amount of USD, 0 or more.")


def check_cost(price: Price, max_cost: float) -> None:
    """Stop a task that would cost too much.

    Raises:
        CostLimitError: The price is above the limit, or in another currency than USD.
    """
    if price.currency != "USD" or not 0 <= price.discounted_price <= max_cost:
        raise CostLimitError(
            f"A task of {price.model_id} would cost {price.discounted_price:g} {price.currency}, and the limit is "
            f"{max_cost:g} USD. Nothing was submitted.",
            price=price,
            limit=max_cost,
        )


def _model(model: str) -> str:
    split_model(model)
    return model


def _word(word: str, name: str, check: Callable[[str], Word], words: set[Word]) -> Word:
    try:
        return check(word)
    except TypeError:
        known = ", ".join(sorted(map(str, words)))
        raise InvalidInputError(f"{name} must be one of {known}; this is {str(word)[:80]!r}.") from None


def _aware(moment: object, name: str) -> datetime:
    if not isinstance(moment, datetime):
        raise InvalidInputError(f"{name} must be a datetime, not {type(moment).__name__}.")
    if moment.utcoffset() is None:
        raise InvalidInputError(f"{name} has no time zone: write datetime(..., tzinfo=UTC), or use astimezone().")
    return moment


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))
