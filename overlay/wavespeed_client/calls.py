"""Make a `Call` for each operation: the generated module, its arguments, and a function that reads the response's data.

The operations that submit and poll are imported with this module, the others on first use.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

from attrs import define

from wavespeed_api import models
from wavespeed_api.api.tasks import get_prediction, get_result, submit_task, submit_task_variant
from wavespeed_api.types import UNSET

from .arguments import aware, checked_webhook, input_fields, model_id, split_model, task_ids, usage_span, word_of
from .catalogue.paging import PAGE_SIZE, Pages
from .files.inputs import without_files
from .parsing import balance_in, deleted_in, is_polled_by_older_path, lead_of, secret_in, task_in
from .transport.context import Context
from .transport.exchange import end

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from wavespeed_api.models import UploadQuery
    from wavespeed_api.types import Unset

    from .catalogue.listing import Page
    from .catalogue.rows import Billing, Model, Price, UsageStats
    from .files.ticket import UploadTicket
    from .task import Task

# Of a list whose pages are requested one by one.
Query: TypeAlias = "models.PredictionQuery | models.BillingQuery"

P = ParamSpec("P")
T = TypeVar("T")


class Operation(Protocol[P]):
    """A generated module. It makes the options of its request from the operation's arguments."""

    def _get_kwargs(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]: ...


@define
class Call(Generic[T]):
    """One operation with its arguments.

    Args:
        http: The HTTP client that sends the request, sync or async.
        context: Options of the call for the transport.
        read: Makes the result from the data in the response's JSON. If it raises, the response counts as unreadable.
        options: Makes the options of the request.
    """

    _http: Any
    _context: Context
    _read: Callable[[Any], T]
    _options: Callable[[], dict[str, Any]]

    def send(self) -> T:
        """Send the request and read its response.

        Raises:
            WaveSpeedError: There is no response, it is not a success, or it cannot be read.
        """
        try:
            return self._read(self._http.request(context=self._context, **self._options()).data)
        except BaseException as error:
            end(self._context, error)

    async def asend(self) -> T:
        """Async send."""
        try:
            return self._read((await self._http.request(context=self._context, **self._options())).data)
        except BaseException as error:
            end(self._context, error)


class Calls:
    """The calls of one client.

    Args:
        base_url: The URL of the API.
        http: The client's HTTP client, sync or async.
    """

    def __init__(self, base_url: str, http: Any) -> None:
        self._base_url = base_url
        self._http = http

    def _call(
        self, context: Context, read: Callable[[Any], T], operation: Operation[P], /, *args: P.args, **kwargs: P.kwargs
    ) -> Call[T]:
        # The generator gives it no public name.
        options = partial(operation._get_kwargs, *args, **kwargs)  # pyright: ignore[reportPrivateUsage]
        return Call(self._http, context, read, options)

    def _pages(
        self, operation: Operation[...], query: Query, read: Callable[[dict[str, Any]], T], key: Callable[[T], str]
    ) -> Pages[T]:
        from .catalogue.listing import Page

        def page(number: int) -> Call[Page[T]]:
            query.page = number
            return self._call(Context(), partial(Page[T].within, read=read, number=number), operation, body=query)

        return Pages(page, key)

    def submit(self, context: Context, model: str, fields: dict[str, Any], webhook: str | None) -> Call[Task]:
        """Submit a task with the checked fields of its input."""
        provider, name, variant = split_model(model)
        body = models.TaskInput.from_dict(fields)
        hook, read = checked_webhook(webhook) or UNSET, partial(task_in, model=model)
        if variant is None:
            return self._call(context, read, submit_task, provider, name, body=body, webhook=hook)
        return self._call(context, read, submit_task_variant, provider, name, variant, body=body, webhook=hook)

    def get(self, context: Context, task: Task) -> Call[Task]:
        """Request a task, by the older path if its own URL names that one."""
        operation = get_prediction if is_polled_by_older_path(task, self._base_url) else get_result
        return self._call(context, partial(task_in, model=task.model), operation, task.id)

    def clock_lead(self) -> Call[timedelta]:
        """Compare the service's clock with this machine's, by the `Date` of a short response. See `lead_of`."""
        from wavespeed_api.api.tasks import list_predictions

        context, query = Context(), models.PredictionQuery(page_size=1)
        return self._call(context, lambda _: lead_of(context.date), list_predictions, body=query)

    def tasks(
        self,
        model: str | None,
        status: str | None,
        created_after: datetime | None,
        created_before: datetime | None,
        include_inputs: bool | Unset = UNSET,
    ) -> Pages[Task]:
        """List tasks, newest first; with their inputs if `include_inputs` is set."""
        from wavespeed_api.api.tasks import list_predictions
        from wavespeed_api.models.prediction_query_status import PREDICTION_QUERY_STATUS_VALUES

        query = models.PredictionQuery(page_size=PAGE_SIZE, include_inputs=include_inputs)
        if model is not None:
            query.model = model_id(model)
        if status is not None:
            query.status = word_of(status, "status", PREDICTION_QUERY_STATUS_VALUES)
        if created_after is not None:
            query.created_after = aware(created_after, "created_after")
        if created_before is not None:
            query.created_before = aware(created_before, "created_before")

        return self._pages(list_predictions, query, task_in, lambda task: task.id)

    def delete(self, ids: list[str]) -> Call[int | None]:
        """Delete the records of tasks."""
        from wavespeed_api.api.tasks import delete_predictions

        return self._call(Context(), deleted_in, delete_predictions, body=models.DeletionQuery(ids=ids))

    def upload(self, context: Context, query: UploadQuery) -> Call[UploadTicket]:
        """Request a ticket, which names the URL to upload a file to."""
        from wavespeed_api.api.media import create_upload

        from .files.ticket import UploadTicket

        return self._call(context, UploadTicket.of, create_upload, body=query)

    def models(self) -> Call[list[Model]]:
        """List all models."""
        from wavespeed_api.api.models import list_models

        from .catalogue.listing import Page
        from .catalogue.rows import Model

        return self._call(Context(), lambda data: Page[Model].of(data, Model.of).items, list_models)

    def price(self, context: Context, model: str, input: object) -> Call[Price]:
        """Request the price of a task; without an input, for the model's base price. No file is uploaded."""
        from wavespeed_api.api.models import get_price

        from .catalogue.rows import Price

        query = models.PriceQuery(model_id=model_id(model))
        if input is not None:
            query.inputs = models.TaskInput.from_dict(without_files(input_fields(input)))
        return self._call(context, Price.of, get_price, body=query)

    def balance(self) -> Call[float]:
        """Request the account's balance."""
        from wavespeed_api.api.account import get_balance

        return self._call(Context(), balance_in, get_balance)

    def usage(self, start: datetime, end: datetime, model: str | None) -> Call[UsageStats]:
        """Request the usage in a time span."""
        from wavespeed_api.api.account import get_usage

        from .catalogue.rows import UsageStats

        start, end = usage_span(start, end)
        query = models.UsageQuery(start_time=start, end_time=end)
        if model is not None:
            query.model_uuid = model_id(model)
        return self._call(Context(), UsageStats.of, get_usage, body=query)

    def billings(
        self, billing_type: str | None, start: datetime | None, end: datetime | None, prediction_ids: Sequence[str]
    ) -> Pages[Billing]:
        """List charges and refunds, newest first."""
        from wavespeed_api.api.account import search_billings
        from wavespeed_api.models.billing_query_billing_type import BILLING_QUERY_BILLING_TYPE_VALUES

        from .catalogue.rows import Billing

        query = models.BillingQuery(page_size=PAGE_SIZE, sort="created_at DESC")
        if billing_type is not None:
            query.billing_type = word_of(billing_type, "billing_type", BILLING_QUERY_BILLING_TYPE_VALUES)
        if start is not None:
            query.start_time = _milliseconds(aware(start, "start"))
        if end is not None:
            query.end_time = _milliseconds(aware(end, "end"))
        if ids := task_ids(prediction_ids, "prediction_ids"):
            query.prediction_uuids = ids

        return self._pages(search_billings, query, Billing.of, lambda record: record.uuid)

    def webhook_secret(self) -> Call[str]:
        """Request the secret that signs webhook calls."""
        from wavespeed_api.api.webhooks import get_webhook_secret

        return self._call(Context(), secret_in, get_webhook_secret)


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))
