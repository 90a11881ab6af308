"""AsyncWaveSpeed: the async client, which differs from WaveSpeed only by `await`."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from .arguments import check_callable, check_cost, check_limit, deletions, model_id, searched_from, task_of
from .catalogue.catalogue import Catalogue
from .clock import Deadline
from .errors import BadRequestError, NotFoundError, SubmissionUncertainError, WaveSpeedError
from .files.inputs import placed
from .parsing import could_be, has_input, total
from .settings import Settings
from .shell import Shell
from .transport.context import Context
from .waiting.wait import Wait, completed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
    from datetime import datetime
    from os import PathLike
    from pathlib import Path

    import httpx

    from .arguments import Input, OnBytes, OnUpdate
    from .batch.options import AsyncInputs, Options
    from .batch.outcome import Outcome, Progress
    from .batch.tasks import AsyncWorkers
    from .catalogue.model_info import ModelInfo
    from .catalogue.paging import Pages
    from .catalogue.rows import Billing, Model, Price, UsageStats
    from .files.kinds import FileInput
    from .files.uploads import AsyncUploads
    from .task import Task
    from .typed.model import AsyncTypedModel
    from .typed.token import I, ModelOf

T = TypeVar("T")


class AsyncWaveSpeed(Shell):
    """Async `WaveSpeed`: the same arguments and verbs, for one event loop. Tasks of that loop may share it.

    You can build it outside a running loop. It belongs to the loop in which it is first used.

    Args:
        transport: The library that sends the requests: "httpx"; or "aiohttp", which takes less CPU and needs the
            extra `wavespeed-client[aiohttp]`. Not together with http_client.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        transport: Literal["httpx", "aiohttp"] = "httpx",
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        # Imported here for the same reason as in WaveSpeed.
        from asyncio import Lock

        from .transport.chain import connect_async

        settings = Settings.resolve(api_key, base_url, timeout, max_retries)
        self.api = connect_async(settings, http_client, transport)
        super().__init__(settings, self.api.get_async_httpx_client())
        self._catalogue_lock = Lock()
        self._at_work: set[AsyncWorkers] = set()

    async def submit(self, model: str, input: Input = None, *, webhook: str | None = None) -> Task:
        """Async `WaveSpeed.submit`."""
        fields = await self._with_urls(Deadline.after(None, self._clock), model, input, webhook)
        return await self._submit(Context(), model, fields, webhook)

    async def get(self, task: Task | str) -> Task:
        """Async `WaveSpeed.get`."""
        return await self._get(Context(), task_of(task))

    async def wait(self, task: Task | str, *, timeout: float | None = 600.0, on_update: OnUpdate = None) -> Task:
        """Async `WaveSpeed.wait`."""
        check_callable(on_update, "on_update", "a task")
        deadline = Deadline.after(timeout, self._clock)
        return await self._wait(Wait(task_of(task), timeout, deadline, self._durations), on_update)

    async def run(
        self,
        model: str,
        input: Input = None,
        *,
        timeout: float | None = 600.0,
        on_update: OnUpdate = None,
        max_cost: float | None = None,
    ) -> Task:
        """Async `WaveSpeed.run`."""
        check_callable(on_update, "on_update", "a task")
        check_limit(max_cost)
        deadline = Deadline.after(timeout, self._clock)
        fields = await self._with_urls(deadline, model, input)
        if max_cost is not None:
            check_cost(await self.price(model, fields), max_cost)
        task = await self._submit(Context(deadline), model, fields)
        wait = Wait(task, timeout, deadline, self._durations)
        with wait.guarded():
            if on_update is not None:
                await _finished(on_update(task))
        return await self._wait(wait, on_update)

    def run_many(
        self,
        model: str,
        inputs: AsyncInputs,
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        batch: str | None = None,
        max_cost: float | None = None,
        budget: float | None = None,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Outcome]:
        """Async `WaveSpeed.run_many`."""
        from .batch.options import checked_options

        limits, money = (max_in_flight, max_per_minute, timeout), (max_cost, budget, retry_failed)
        options = checked_options(self.settings, model, inputs, *limits, journal, on_progress, batch, *money)
        return self._outcomes(options, inputs)

    def _outcomes(self, options: Options, inputs: AsyncInputs) -> AsyncGenerator[Outcome]:
        from .batch.tasks import outcomes

        calls = (self._submit, self._get, self._price, self.find_submissions, self._uploads)
        return outcomes(self._batch(options), inputs, calls, self._at_work)

    def use(self, model: ModelOf[I]) -> AsyncTypedModel[I]:
        """Async `WaveSpeed.use`."""
        from .typed.model import AsyncTypedModel, id_of  # loaded on first use

        return AsyncTypedModel(id_of(model), self)

    def tasks(
        self,
        *,
        model: str | None = None,
        status: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> AsyncIterator[Task]:
        """Async `WaveSpeed.tasks`."""
        return self._listed(self._calls.tasks(model, status, created_after, created_before))

    async def find_submissions(self, error: SubmissionUncertainError) -> list[Task]:
        """Async `WaveSpeed.find_submissions`."""
        since = searched_from(error)
        if error.task_id is not None:
            with suppress(NotFoundError):
                return [await self.get(error.task_id)]
        since += await self._calls.clock_lead().asend()
        found = [task for task in await self._submitted_since(error.model, since) if could_be(task, error)]
        # The service may know the model by another name.
        return found or [task for task in await self._submitted_since(None, since) if has_input(task, error)]

    async def delete(self, *tasks: Task | str) -> int | None:
        """Async `WaveSpeed.delete`."""
        return total([await self._calls.delete(ids).asend() for ids in deletions(tasks)])

    async def upload(
        self,
        file: str | FileInput | PathLike[str],
        *,
        filename: str | None = None,
        content_type: str | None = None,
        on_progress: OnBytes = None,
    ) -> str:
        """Async `WaveSpeed.upload`."""
        from .files.upload import opened, send_async

        self._check_open()
        with opened(file, filename, content_type) as source:
            ticket = await self._calls.upload(Context(), source.query()).asend()
            await send_async(ticket, source, self.settings.timeout, on_progress)
        return ticket.download_url

    async def download(self, url: str, to: str | PathLike[str], *, on_progress: OnBytes = None) -> Path:
        """Async `WaveSpeed.download`."""
        from .files.download import fetch_async, place_for

        self._check_open()
        timeout, max_retries = self.settings.timeout, self.settings.max_retries
        return await fetch_async(url, place_for(url, to), timeout, on_progress, max_retries)

    async def save(
        self, task: Task | Outcome, folder: str | PathLike[str], *, on_progress: OnBytes = None
    ) -> list[Path]:
        """Async `WaveSpeed.save`."""
        from .files.save import save_async

        self._check_open()
        return await save_async(task, folder, self.settings, on_progress)

    async def models(self) -> list[Model]:
        """Async `WaveSpeed.models`."""
        return await self._calls.models().asend()

    async def model(self, model: str) -> ModelInfo:
        """Async `WaveSpeed.model`."""
        model_id(model)
        self._check_open()
        async with self._catalogue_lock:
            if not self._catalogue.is_kept(now := self._clock.now()):
                self._catalogue = Catalogue.of(await self.models(), now)
            return self._catalogue.info(model)

    async def price(self, model: str, input: Input = None) -> Price:
        """Async `WaveSpeed.price`."""
        return await self._price(Context(), model, input)

    async def balance(self) -> float:
        """Async `WaveSpeed.balance`."""
        return await self._calls.balance().asend()

    async def usage(self, start: datetime, end: datetime, *, model: str | None = None) -> UsageStats:
        """Async `WaveSpeed.usage`."""
        return await self._calls.usage(start, end, model).asend()

    def billings(
        self,
        *,
        billing_type: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        prediction_ids: Sequence[str] = (),
    ) -> AsyncIterator[Billing]:
        """Async `WaveSpeed.billings`."""
        return self._listed(self._calls.billings(billing_type, start, end, prediction_ids))

    async def webhook_secret(self) -> str:
        """Async `WaveSpeed.webhook_secret`."""
        return await self._calls.webhook_secret().asend()

    async def aclose(self) -> None:
        """Async `WaveSpeed.close`."""
        try:
            for workers in tuple(self._at_work):
                await workers.end()
        finally:
            await self._http.aclose()

    async def _with_urls(
        self, deadline: Deadline, model: str, input: Input, webhook: str | None = None
    ) -> dict[str, Any]:
        fields, files = self._fields_and_files(model, input, webhook)
        if not files:
            return fields
        uploads = await self._uploads().urls(files, deadline)
        return placed(fields, {place: upload.url for place, upload in uploads.items()})

    def _uploads(self) -> AsyncUploads:
        from .files.uploads import AsyncUploads  # loaded on first use

        made = AsyncUploads(self._calls, self.settings.timeout)
        uploads: AsyncUploads = self.__dict__.setdefault("_kept_uploads", made)  # threads share it
        return uploads

    async def _submit(self, context: Context, model: str, fields: dict[str, Any], webhook: str | None = None) -> Task:
        task = await self._calls.submit(context, model, fields, webhook).asend()
        self._durations.submitted(task, self._clock.now())
        return task

    async def _get(self, context: Context, task: Task) -> Task:
        return await self._calls.get(context, task).asend()

    async def _price(self, context: Context, model: str, input: Input) -> Price:
        return await self._calls.price(context, model, input).asend()

    async def _wait(self, wait: Wait, on_update: OnUpdate) -> Task:
        with wait.guarded():
            while wait.goes_on():
                await self._clock.asleep(wait.delay())
                try:
                    task = await self._get(Context(wait.deadline.and_a_last_poll()), wait.task)
                except WaveSpeedError as error:
                    wait.missed(error)
                    continue
                if wait.saw(task) and on_update is not None:
                    await _finished(on_update(wait.task))
        return completed(wait.task)

    async def _submitted_since(self, model: str | None, since: datetime) -> list[Task]:
        with suppress(BadRequestError):  # include_inputs is not documented
            return [task async for task in self._listed(self._calls.tasks(model, None, since, None, True))]
        return [task async for task in self._listed(self._calls.tasks(model, None, since, None))]

    async def _listed(self, pages: Pages[T]) -> AsyncIterator[T]:
        while pages.more:
            for item in pages.take(await pages.next_call().asend()):
                yield item

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()


async def _finished(result: object) -> None:
    # on_update may be a coroutine function here.
    if inspect.isawaitable(result):
        await result
