"""Make a `Call` for each operation: the generated module, its arguments, and a function that reads its response.

The operations that submit and poll are imported with this module, the others on first use.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

from wavespeed_api import models
from wavespeed_api.api.tasks import get_prediction, get_result, submit_task, submit_task_variant
from wavespeed_api.models import Durations, EchoedInput, Prediction, StructuredOutput, TaskAddresses, task_status
from wavespeed_api.types import UNSET, Unset

from .arguments import aware, checked_webhook, input_fields, model_id, split_model, task_ids, usage_span, word_of
from .catalogue.paging import PAGE_SIZE, Pages
from .errors import WaveSpeedError
from .files.inputs import without_files
from .parsing import asked_by_older_path, balance_in, deleted_in, lead_of, secret_in, task_from_envelope, tasks_of
from .transport.context import Context
from .transport.exchange import end

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime, timedelta

    from wavespeed_api import Client
    from wavespeed_api.models import UploadQuery
    from wavespeed_api.types import Response

    from .catalogue.listing import Page
    from .catalogue.rows import Billing, Model, Price, UsageStats
    from .files.ticket import UploadTicket
    from .task import Task

# Needed to read the response of a paid task. A late import fails if no file descriptors are left.
LOADED = (Prediction, Durations, TaskAddresses, StructuredOutput, EchoedInput, task_status)

P = ParamSpec("P")
T = TypeVar("T")


class Operation(Protocol[P]):
    """A generated module."""

    def sync_detailed(self, *args: P.args, **kwargs: P.kwargs) -> Response[Any]: ...

    def asyncio_detailed(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Response[Any]]: ...


class Call(Generic[T]):
    """One operation with its arguments.

    Args:
        context: Options of the call for the transport.
        read: Makes the result from the parsed response and the data in its JSON. If it raises, the response counts as
            unreadable.
        operation: The generated module; its arguments follow.
    """

    def __init__(
        self,
        context: Context,
        read: Callable[[Any, Any], T],
        operation: Operation[P],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        self._context = context
        self._read = read
        self._sync = partial(operation.sync_detailed, *args, **kwargs)
        self._asyncio = partial(operation.asyncio_detailed, *args, **kwargs)

    def send(self) -> T:
        """Send the request and read its response.

        Raises:
            WaveSpeedError: There is no response, it is not a success, or it cannot be read.
        """
        try:
            return self._read(self._sync().parsed, self._context.data)
        except WaveSpeedError:
            raise
        except BaseException as error:
            end(self._context, error)

    async def asend(self) -> T:
        """Async send."""
        try:
            return self._read((await self._asyncio()).parsed, self._context.data)
        except WaveSpeedError:
            raise
        except BaseException as error:
            end(self._context, error)


class Calls:
    """The calls of one client.

    Args:
        base_url: The URL of the API.
        client_for: Makes the generated client that sends a call with the given context.
    """

    def __init__(self, base_url: str, client_for: Callable[[Context], Client]) -> None:
        self._base_url = base_url
        self._client_for = client_for

    def submit(self, context: Context, model: str, fields: dict[str, Any], webhook: str | None) -> Call[Task]:
        """Submit a task with the checked fields of its input."""
        provider, name, variant = split_model(model)
        body = models.TaskInput.from_dict(fields)
        hook, read = checked_webhook(webhook) or UNSET, partial(task_from_envelope, model=model)
        client = self._client_for(context)
        if variant is None:
            return Call(context, read, submit_task, provider, name, client=client, body=body, webhook=hook)
        return Call(context, read, submit_task_variant, provider, name, variant, client=client, body=body, webhook=hook)

    def get(self, context: Context, task: Task) -> Call[Task]:
        """Ask for a task, by the older path if its own URL names that one."""
        operation = get_prediction if asked_by_older_path(task, self._base_url) else get_result
        read = partial(task_from_envelope, model=task.model)
        return Call(context, read, operation, task.id, client=self._client_for(context))

    def clock_lead(self) -> Call[timedelta]:
        """Compare the service's clock with this machine's, by the `Date` of a short response. See `lead_of`."""
        from wavespeed_api.api.tasks import list_predictions

        context, query = Context(), models.PredictionQuery(page_size=1)
        client = self._client_for(context)
        return Call(context, lambda _, __: lead_of(context.date), list_predictions, client=client, body=query)

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
        from wavespeed_api.models import prediction_query_status as statuses

        query = models.PredictionQuery(page_size=PAGE_SIZE, include_inputs=include_inputs)
        if model is not None:
            query.model = model_id(model)
        if status is not None:
            known = statuses.PREDICTION_QUERY_STATUS_VALUES
            query.status = word_of(status, "status", statuses.check_prediction_query_status, known)
        if created_after is not None:
            query.created_after = aware(created_after, "created_after")
        if created_before is not None:
            query.created_before = aware(created_before, "created_before")

        def page(number: int) -> Call[Page[Task]]:
            query.page, context = number, Context()
            client = self._client_for(context)
            return Call(context, lambda _, data: tasks_of(data, number), list_predictions, client=client, body=query)

        return Pages(page, lambda task: task.id)

    def delete(self, ids: list[str]) -> Call[int | None]:
        """Delete the records of tasks."""
        from wavespeed_api.api.tasks import delete_predictions

        context, query = Context(), models.DeletionQuery(ids=ids)
        return Call(context, deleted_in, delete_predictions, client=self._client_for(context), body=query)

    def upload(self, context: Context, query: UploadQuery) -> Call[UploadTicket]:
        """Ask for a ticket, which names the URL to upload a file to."""
        from wavespeed_api.api.media import create_upload

        from .files.ticket import UploadTicket

        client = self._client_for(context)
        return Call(context, lambda _, data: UploadTicket.of(data), create_upload, client=client, body=query)

    def models(self) -> Call[list[Model]]:
        """List all models."""
        from wavespeed_api.api.models import list_models

        from .catalogue.listing import Page
        from .catalogue.rows import Model

        context = Context()
        client = self._client_for(context)
        return Call(context, lambda _, data: Page[Model].of(data, Model.of).items, list_models, client=client)

    def price(self, context: Context, model: str, input: object) -> Call[Price]:
        """Ask for the price of a task; without an input, for the model's base price. No file is uploaded."""
        from wavespeed_api.api.models import get_price

        from .catalogue.rows import Price

        query = models.PriceQuery(model_id=model_id(model))
        if input is not None:
            query.inputs = models.TaskInput.from_dict(without_files(input_fields(input)))
        client = self._client_for(context)
        return Call(context, lambda _, data: Price.of(data), get_price, client=client, body=query)

    def balance(self) -> Call[float]:
        """Ask for the account's balance."""
        from wavespeed_api.api.account import get_balance

        context = Context()
        return Call(context, balance_in, get_balance, client=self._client_for(context))

    def usage(self, start: datetime, end: datetime, model: str | None) -> Call[UsageStats]:
        """Ask for the usage in a time span."""
        from wavespeed_api.api.account import get_usage

        from .catalogue.rows import UsageStats

        context, (start, end) = Context(), usage_span(start, end)
        query = models.UsageQuery(start_time=start, end_time=end)
        if model is not None:
            query.model_uuid = model_id(model)
        client = self._client_for(context)
        return Call(context, lambda _, data: UsageStats.of(data), get_usage, client=client, body=query)

    def billings(
        self, billing_type: str | None, start: datetime | None, end: datetime | None, prediction_ids: Sequence[str]
    ) -> Pages[Billing]:
        """List charges and refunds, newest first."""
        from wavespeed_api.api.account import search_billings
        from wavespeed_api.models import billing_query_billing_type as types

        from .catalogue.listing import Page
        from .catalogue.rows import Billing

        query = models.BillingQuery(page_size=PAGE_SIZE, sort="created_at DESC")
        if billing_type is not None:
            check, known = types.check_billing_query_billing_type, types.BILLING_QUERY_BILLING_TYPE_VALUES
            query.billing_type = word_of(billing_type, "billing_type", check, known)
        if start is not None:
            query.start_time = _milliseconds(aware(start, "start"))
        if end is not None:
            query.end_time = _milliseconds(aware(end, "end"))
        if ids := task_ids(prediction_ids, "prediction_ids"):
            query.prediction_uuids = ids

        def page(number: int) -> Call[Page[Billing]]:
            query.page, context = number, Context()
            return Call(
                context,
                lambda _, data: Page[Billing].of(data["items"], Billing.of, number),
                search_billings,
                client=self._client_for(context),
                body=query,
            )

        return Pages(page, lambda record: record.uuid)

    def webhook_secret(self) -> Call[str]:
        """Ask for the secret that signs webhook calls."""
        from wavespeed_api.api.webhooks import get_webhook_secret

        context = Context()
        return Call(context, secret_in, get_webhook_secret, client=self._client_for(context))


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))
