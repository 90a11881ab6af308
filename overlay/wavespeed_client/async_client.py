"""AsyncWaveSpeed: the async client. Its rules live in submission, polling, task and transport."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from wavespeed_api import Client, models
from wavespeed_api.types import UNSET

from . import operations
from .answers import expected
from .call import calling
from .clock import Clock, Deadline
from .durations import Durations
from .errors import ConfigurationError
from .paging import BillingPages, TaskPages
from .polling import Waiting, checked_watcher, completed
from .queries import billing_query, check_cost, checked_limit, deletions, price_query, task_query, usage_query
from .settings import Settings
from .submission import checked_input, checked_webhook, could_be, has_input, searched_from, split_model
from .task import Task, asked_by_older_path, task_from_envelope, task_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime
    from os import PathLike
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO, Literal, Self

    import httpx

    from wavespeed_api.models import Billing, Model, Price, TaskInput, UsageStats

    from .async_workers import AsyncWorkers
    from .errors import SubmissionUncertainError
    from .order import AsyncInputs
    from .outcome import Outcome, Progress


class AsyncWaveSpeed:
    """Async `WaveSpeed`: the same arguments and verbs, for one event loop. Tasks of that loop may share it.

    It can be built outside a running loop, and belongs to the loop that it is first used in.
    """

    _clock = Clock()

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        transport: Literal["httpx", "fast"] | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        # Loaded by the first client, as for WaveSpeed.
        from .connection import connect_async, refuse_sync

        self.settings = Settings.resolve(api_key, base_url, timeout, max_retries, transport)
        self._at_work: set[AsyncWorkers] = set()
        self._http = connect_async(self.settings, http_client)
        self._durations = Durations()
        self.api = Client(base_url=self.settings.base_url)
        self.api.set_async_httpx_client(self._http).set_httpx_client(refuse_sync())

    async def submit(
        self, model: str, input: Mapping[str, Any] | TaskInput | None = None, *, webhook: str | None = None
    ) -> Task:
        """Async `WaveSpeed.submit`."""
        return await self._submit(model, input, webhook, None)

    async def get(self, task: Task | str) -> Task:
        """Async `WaveSpeed.get`."""
        return await self._get(task_of(task), None)

    async def wait(
        self, task: Task | str, *, timeout: float | None = 600.0, on_update: Callable[[Task], object] | None = None
    ) -> Task:
        """Async `WaveSpeed.wait`."""
        checked_watcher(on_update)
        deadline = Deadline.after(timeout, self._clock)
        return await self._wait(Waiting(task_of(task), timeout, deadline, self._durations), on_update)

    async def run(
        self,
        model: str,
        input: Mapping[str, Any] | TaskInput | None = None,
        *,
        timeout: float | None = 600.0,
        on_update: Callable[[Task], object] | None = None,
        max_cost: float | None = None,
    ) -> Task:
        """Async `WaveSpeed.run`."""
        checked_watcher(on_update)
        checked_limit(max_cost)
        deadline = Deadline.after(timeout, self._clock)
        if max_cost is not None:
            check_cost(await self.price(model, input), max_cost)
        waiting = Waiting(await self._submit(model, input, None, deadline), timeout, deadline, self._durations)
        with waiting.guarded():
            if on_update is not None:
                await _told(on_update(waiting.task))
        return await self._wait(waiting, on_update)

    def run_many(
        self,
        model: str,
        inputs: AsyncInputs,
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Outcome]:
        """Async `WaveSpeed.run_many`."""
        # Loaded by those who use it.
        from .async_workers import outcomes
        from .batch import Batch
        from .order import checked_order

        limits = (max_in_flight, max_per_minute, timeout)
        order = checked_order(self.settings, model, inputs, *limits, journal, on_progress)
        self._check_open()
        batch = Batch(order, self._clock, partial(Waiting, durations=self._durations))
        return outcomes(batch, inputs, self._submit, self._get, self._at_work)

    def tasks(
        self,
        *,
        model: str | None = None,
        status: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> AsyncIterator[Task]:
        """Async `WaveSpeed.tasks`."""
        return self._tasks(TaskPages(task_query(model, status, created_after, created_before)))

    async def find_submissions(self, error: SubmissionUncertainError) -> list[Task]:
        """Async `WaveSpeed.find_submissions`."""
        since = searched_from(error)
        of_model = self.tasks(model=error.model, created_after=since)
        found = [task async for task in of_model if could_be(task, error)]
        # The service may know the model by another name.
        of_any = self.tasks(created_after=since)
        return found or [task async for task in of_any if has_input(task, error)]

    async def delete(self, *tasks: Task | str) -> int:
        """Async `WaveSpeed.delete`."""
        self._check_open()
        deleted = 0
        for ids in deletions(tasks):
            with calling(None):
                answer = await operations.delete_predictions.asyncio_detailed(
                    client=self.api, body=models.DeletionQuery(ids=ids)
                )
                deleted += expected(answer.parsed, models.DeletionEnvelope).data.deleted_count
        return deleted

    async def upload(
        self,
        file: str | PathLike[str] | BinaryIO,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> str:
        """Async `WaveSpeed.upload`."""
        from .files import opened
        from .transfer import send_async

        self._check_open()
        with opened(file, filename, content_type) as source:
            with calling(None):
                answer = await operations.create_upload.asyncio_detailed(client=self.api, body=source.query())
                ticket = expected(answer.parsed, models.UploadTicketEnvelope).data
            await send_async(ticket, source, self.settings.timeout, on_progress)
        return ticket.download_url

    async def download(
        self,
        url: str,
        to: str | PathLike[str],
        *,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """Async `WaveSpeed.download`."""
        from .files import target_path
        from .transfer import fetch_async

        target = target_path(url, to)
        await fetch_async(url, target, self.settings.timeout, on_progress)
        return target

    async def models(self) -> list[Model]:
        """Async `WaveSpeed.models`."""
        self._check_open()
        with calling(None):
            answer = await operations.list_models.asyncio_detailed(client=self.api)
            return expected(answer.parsed, models.ModelsEnvelope).data or []

    async def price(self, model: str, input: Mapping[str, Any] | TaskInput | None = None) -> Price:
        """Async `WaveSpeed.price`."""
        query = price_query(model, input)
        self._check_open()
        with calling(None):
            answer = await operations.get_price.asyncio_detailed(client=self.api, body=query)
            return expected(answer.parsed, models.PriceEnvelope).data

    async def balance(self) -> float:
        """Async `WaveSpeed.balance`."""
        self._check_open()
        with calling(None):
            answer = await operations.get_balance.asyncio_detailed(client=self.api)
            return expected(answer.parsed, models.BalanceEnvelope).data.balance

    async def usage(self, start: datetime, end: datetime, *, model: str | None = None) -> UsageStats:
        """Async `WaveSpeed.usage`."""
        query = usage_query(start, end, model)
        self._check_open()
        with calling(None):
            answer = await operations.get_usage.asyncio_detailed(client=self.api, body=query)
            return expected(answer.parsed, models.UsageEnvelope).data

    def billings(
        self,
        *,
        billing_type: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        prediction_ids: Sequence[str] = (),
    ) -> AsyncIterator[Billing]:
        """Async `WaveSpeed.billings`."""
        return self._billings(BillingPages(billing_query(billing_type, start, end, prediction_ids)))

    async def webhook_secret(self) -> str:
        """Async `WaveSpeed.webhook_secret`."""
        self._check_open()
        with calling(None):
            answer = await operations.get_webhook_secret.asyncio_detailed(client=self.api)
            return expected(answer.parsed, models.WebhookSecretEnvelope).data.secret

    async def aclose(self) -> None:
        """Async `WaveSpeed.close`."""
        try:
            for workers in tuple(self._at_work):
                await workers.end()
        finally:
            await self._http.aclose()

    async def _submit(
        self,
        model: str,
        input: Mapping[str, Any] | TaskInput | None,
        webhook: str | None,
        deadline: Deadline | None,
        leaving: Callable[[], object] | None = None,
    ) -> Task:
        provider, name, variant = split_model(model)
        body, hook = checked_input(input), checked_webhook(webhook) or UNSET
        self._check_open()
        with calling(deadline, leaving) as call:
            if variant is None:
                answer = await operations.submit_task.asyncio_detailed(
                    provider, name, client=self.api, body=body, webhook=hook
                )
            else:
                answer = await operations.submit_task_variant.asyncio_detailed(
                    provider, name, variant, client=self.api, body=body, webhook=hook
                )
            task = task_from_envelope(answer.parsed, call.answer, model=model)
        self._durations.submitted(task, self._clock.now())
        return task

    async def _get(self, task: Task, deadline: Deadline | None, leaving: Callable[[], object] | None = None) -> Task:
        self._check_open()
        older = asked_by_older_path(task, self.settings.base_url)
        ask = operations.get_prediction.asyncio_detailed if older else operations.get_result.asyncio_detailed
        with calling(deadline, leaving) as call:
            answer = await ask(task.id, client=self.api)
            return task_from_envelope(answer.parsed, call.answer, model=task.model)

    async def _tasks(self, pages: TaskPages) -> AsyncIterator[Task]:
        while pages.more:
            self._check_open()
            with calling(None) as call:
                answer = await operations.list_predictions.asyncio_detailed(client=self.api, body=pages.query)
                found = pages.take(answer.parsed, call.answer)
            for task in found:
                yield task

    async def _billings(self, pages: BillingPages) -> AsyncIterator[Billing]:
        while pages.more:
            self._check_open()
            with calling(None):
                answer = await operations.search_billings.asyncio_detailed(client=self.api, body=pages.query)
                found = pages.take(answer.parsed)
            for record in found:
                yield record

    async def _wait(self, waiting: Waiting, on_update: Callable[[Task], object] | None) -> Task:
        with waiting.guarded():
            while waiting.goes_on():
                await self._clock.asleep(waiting.delay())
                changed = waiting.saw(await self._get(waiting.task, waiting.deadline.and_a_last_question()))
                if changed and on_update is not None:
                    await _told(on_update(waiting.task))
        return completed(waiting.task)

    def _check_open(self) -> None:
        if self._http.is_closed:
            raise ConfigurationError("This client is closed: build a new one.")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncWaveSpeed({getattr(self, 'settings', 'not built')})"

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("A client cannot be pickled or copied: build one in each process.")


async def _told(result: object) -> None:
    # on_update may be a coroutine function here.
    if inspect.isawaitable(result):
        await result
