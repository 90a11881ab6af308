"""WaveSpeed: the sync client. Its rules live in submission, polling, task and transport."""

from __future__ import annotations

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
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from datetime import datetime
    from os import PathLike
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO, Literal, Self

    import httpx

    from wavespeed_api.models import Billing, Model, Price, TaskInput, UsageStats

    from .errors import SubmissionUncertainError
    from .order import Inputs
    from .outcome import Outcome, Progress
    from .workers import Workers


class WaveSpeed:
    """A client of WaveSpeedAI's generation API, for one account. Threads may share it.

    Args:
        api_key: The account's key; else WAVESPEED_API_KEY.
        base_url: Where the API is; else WAVESPEED_BASE_URL, else https://api.wavespeed.ai.
        timeout: Seconds that one attempt of a call may take; else WAVESPEED_TIMEOUT, else 60.
        max_retries: How often a call is tried again; else WAVESPEED_MAX_RETRIES, else 3. A submission
            is sent again only if it certainly was not taken.
        transport: What reaches the network: "httpx", or "fast", which costs less and needs the packages of
            `wavespeed-client[fast]`; else WAVESPEED_TRANSPORT, else "httpx".
        http_client: Sends the requests in place of a client of our own, for proxies or certificates
            that need more than the usual environment variables. It stays yours: close it yourself.

    Attributes:
        api: The generated client, for calling a generated function directly. Same key, retries and errors.
        settings: What this client was told.

    Raises:
        ConfigurationError: No key, or an argument or environment variable is wrong.
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
        http_client: httpx.Client | None = None,
    ) -> None:
        # What reaches the network is loaded by the first client: with asyncio, it takes a third as long as httpx.
        from .connection import connect, refuse_async

        self.settings = Settings.resolve(api_key, base_url, timeout, max_retries, transport)
        self._at_work: set[Workers] = set()
        self._http = connect(self.settings, http_client)
        self._durations = Durations()
        self.api = Client(base_url=self.settings.base_url)
        self.api.set_httpx_client(self._http).set_async_httpx_client(refuse_async())

    def submit(
        self, model: str, input: Mapping[str, Any] | TaskInput | None = None, *, webhook: str | None = None
    ) -> Task:
        """A new task. This is the call that costs money: one request, one billed task if it succeeds.

        It is sent again only if it certainly was not taken (no connection, or HTTP 429).

        Args:
            model: The model's id, such as wavespeed-ai/flux-dev.
            input: The model's input.
            webhook: URL that the service calls when the task has ended.

        Raises:
            InvalidInputError: Refused here, nothing was sent.
            APIError: The service refused it, nothing was started.
            APIConnectionError: It could not be sent.
            SubmissionUncertainError: It was sent and its answer lost: look with `find_submissions` first.
        """
        return self._submit(model, input, webhook, None)

    def get(self, task: Task | str) -> Task:
        """The task as it stands now, in whatever state. One request, free of charge.

        Raises:
            InvalidInputError: It is neither a task nor a task's id.
            NotFoundError: There is no such task, or it is older than 7 days.
        """
        return self._get(task_of(task), None)

    def wait(
        self, task: Task | str, *, timeout: float | None = 600.0, on_update: Callable[[Task], object] | None = None
    ) -> Task:
        """The completed task. Asks when it has probably ended; a task that has ended is not asked for.

        How long the tasks of a model take, the client learns from those that it submitted and waited for.

        Args:
            task: The task, or its id.
            timeout: Seconds to wait at most; 0 asks once, None waits without end.
            on_update: Called with the task each time its status has changed.

        Raises:
            TaskFailedError: The task ended, but not as completed.
            TaskTimeoutError: The time is up. The task runs on: wait for it again.
        """
        checked_watcher(on_update)
        deadline = Deadline.after(timeout, self._clock)
        return self._wait(Waiting(task_of(task), timeout, deadline, self._durations), on_update)

    def run(
        self,
        model: str,
        input: Mapping[str, Any] | TaskInput | None = None,
        *,
        timeout: float | None = 600.0,
        on_update: Callable[[Task], object] | None = None,
        max_cost: float | None = None,
    ) -> Task:
        """The completed task: submit and wait in one. Costs what `submit` costs.

        Args:
            model: The model's id, such as wavespeed-ai/flux-dev.
            input: The model's input.
            timeout: Seconds from this call on. A submission that is under way is not cut short.
            on_update: Called with the new task, and again each time its status has changed.
            max_cost: Most that the task may cost, in USD. The price is asked for first: one more request.

        Raises:
            CostLimitError: The task would cost more. Nothing was submitted.
            TaskFailedError: The task ended, but not as completed.
            TaskTimeoutError: The time is up. The task runs on: wait for it by the id in the error.
            SubmissionUncertainError: See `submit`, as for every other error.
        """
        checked_watcher(on_update)
        checked_limit(max_cost)
        deadline = Deadline.after(timeout, self._clock)
        if max_cost is not None:
            check_cost(self.price(model, input), max_cost)
        waiting = Waiting(self._submit(model, input, None, deadline), timeout, deadline, self._durations)
        with waiting.guarded():
            if on_update is not None:
                on_update(waiting.task)
        return self._wait(waiting, on_update)

    def run_many(
        self,
        model: str,
        inputs: Inputs,
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Generator[Outcome]:
        """The outcomes of many inputs, as they come: the completed task, or the error in its place.

        It costs what a `submit` of each input costs. Leaving the loop ends it: nothing more is sent.

        Args:
            model: The model's id, such as wavespeed-ai/flux-dev.
            inputs: Any iterable, pulled in your thread when there is room: it must not wait for outcomes. Two
                that are equal are two tasks.
            max_in_flight: Tasks at once. Outcomes that you have not taken count, so nothing piles up.
            max_per_minute: Submissions within any 60 seconds.
            timeout: Seconds for each task, from its submission on. One refused with 429 is tried again for as long.
            journal: A file from which a killed run goes on: see `wavespeed_client.journal`. Needs the extra `batch`.
            on_progress: Called in your thread before each outcome. Its errors are yours, and end the run.

        Raises:
            InvalidInputError: An argument is wrong; or, at the first outcome, the journal is none or in use.
            ConfigurationError: The extra is missing, or the journal cannot be written any more.
        """
        # Loaded by those who use it.
        from .batch import Batch
        from .order import checked_order, pulled_from
        from .workers import outcomes

        limits = (max_in_flight, max_per_minute, timeout)
        order = checked_order(self.settings, model, inputs, *limits, journal, on_progress)
        self._check_open()
        batch = Batch(order, self._clock, partial(Waiting, durations=self._durations))
        return outcomes(batch, pulled_from(inputs), self._submit, self._get, self._at_work)

    def tasks(
        self,
        *,
        model: str | None = None,
        status: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> Iterator[Task]:
        """The account's tasks of the last 7 days, newest first. One request for each 100, when they are needed.

        Args:
            model: Only tasks of this model id.
            status: Only created, processing, completed, failed, cancelled, timeout or deleted ones.
            created_after: Only tasks submitted after this moment; it needs a time zone.
            created_before: Only tasks submitted before this moment; it needs a time zone.

        Raises:
            InvalidInputError: At once, for a filter that cannot be.
        """
        return self._tasks(TaskPages(task_query(model, status, created_after, created_before)))

    def find_submissions(self, error: SubmissionUncertainError) -> list[Task]:
        """The tasks that an uncertain submission may have started: look here before you pay again.

        They are tasks of that model, submitted since then, whose input is the same or is not told; if there
        are none, tasks with the same input under any other name of the model. It takes one request for each
        100 tasks. When none is found, look again a little later: a list may lag behind.
        """
        since = searched_from(error)
        of_model = self.tasks(model=error.model, created_after=since)
        found = [task for task in of_model if could_be(task, error)]
        # The service may know the model by another name.
        of_any = self.tasks(created_after=since)
        return found or [task for task in of_any if has_input(task, error)]

    def delete(self, *tasks: Task | str) -> int:
        """How many records were deleted, for good. One request for each 100 tasks.

        Unknown ids, and tasks that still run, are passed over by the service: this cancels nothing.

        Raises:
            InvalidInputError: No tasks, or something that is neither a task nor an id.
        """
        self._check_open()
        deleted = 0
        for ids in deletions(tasks):
            with calling(None):
                answer = operations.delete_predictions.sync_detailed(
                    client=self.api, body=models.DeletionQuery(ids=ids)
                )
                deleted += expected(answer.parsed, models.DeletionEnvelope).data.deleted_count
        return deleted

    def upload(
        self,
        file: str | PathLike[str] | BinaryIO,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> str:
        """The URL under which a file can be used in inputs. The service keeps it for 7 days.

        One request to the API, one to its storage host, which does not get the key. The file is
        streamed from disk.

        Args:
            file: A path, or a file that is open for reading bytes; at most 200 MiB.
            filename: Its name, whose ending tells the kind of media; else the file's own.
            content_type: Its media type; else guessed from the name.
            on_progress: Called with the bytes that are done and all bytes.

        Raises:
            InvalidInputError: The file cannot be read, is too large, or changed while it was read.
            APIConnectionError: The upload broke off: upload again.
        """
        # Loaded by those who use it.
        from .files import opened
        from .transfer import send

        self._check_open()
        with opened(file, filename, content_type) as source:
            with calling(None):
                answer = operations.create_upload.sync_detailed(client=self.api, body=source.query())
                ticket = expected(answer.parsed, models.UploadTicketEnvelope).data
            send(ticket, source, self.settings.timeout, on_progress)
        return ticket.download_url

    def download(
        self,
        url: str,
        to: str | PathLike[str],
        *,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """Where an output was written. It gets its name when it is whole: a broken download leaves nothing.

        One request, two if the first breaks off, to the output's own host, which does not get the key.
        The service keeps outputs for 7 days.

        Args:
            url: An output of a task: a URL, or base64 data.
            to: The file to write; or a folder, which a path with a separator at its end is too.
            on_progress: Called with the bytes that are done, and with all bytes if the host tells.

        Raises:
            NotFoundError: The file is gone.
            APIConnectionError: The download broke off twice.
            InvalidInputError: It cannot be written there, or is neither a URL nor base64.
        """
        from .files import target_path
        from .transfer import fetch

        target = target_path(url, to)
        fetch(url, target, self.settings.timeout, on_progress)
        return target

    def models(self) -> list[Model]:
        """All models with their prices in USD and the form of their input. One request, about 2 MB."""
        self._check_open()
        with calling(None):
            answer = operations.list_models.sync_detailed(client=self.api)
            return expected(answer.parsed, models.ModelsEnvelope).data or []

    def price(self, model: str, input: Mapping[str, Any] | TaskInput | None = None) -> Price:
        """What a task would cost; `discounted_price` is what the account pays. One request, free of charge.

        Without an input it is the model's base price.

        Raises:
            InvalidInputError: A model id or input that cannot be.
            NotFoundError: There is no such model.
        """
        query = price_query(model, input)
        self._check_open()
        with calling(None):
            answer = operations.get_price.sync_detailed(client=self.api, body=query)
            return expected(answer.parsed, models.PriceEnvelope).data

    def balance(self) -> float:
        """The account's balance in USD. One request."""
        self._check_open()
        with calling(None):
            answer = operations.get_balance.sync_detailed(client=self.api)
            return expected(answer.parsed, models.BalanceEnvelope).data.balance

    def usage(self, start: datetime, end: datetime, *, model: str | None = None) -> UsageStats:
        """What was used in a time span, in total, by model and by day, in USD. One request.

        Args:
            start: Its begin, with a time zone.
            end: Its end, with a time zone, at most 31 days later.
            model: Only this model id.

        Raises:
            InvalidInputError: A time without a time zone, or a span that is too long or none.
        """
        query = usage_query(start, end, model)
        self._check_open()
        with calling(None):
            answer = operations.get_usage.sync_detailed(client=self.api, body=query)
            return expected(answer.parsed, models.UsageEnvelope).data

    def billings(
        self,
        *,
        billing_type: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        prediction_ids: Sequence[str] = (),
    ) -> Iterator[Billing]:
        """Charges and refunds in USD, newest first. One request for each 100, when they are needed.

        Args:
            billing_type: Only deduct (charges) or refund.
            start: Only records from this moment on; it needs a time zone.
            end: Only records before this moment; it needs a time zone.
            prediction_ids: Only records of the tasks with these ids.

        Raises:
            InvalidInputError: At once, for a filter that cannot be.
        """
        return self._billings(BillingPages(billing_query(billing_type, start, end, prediction_ids)))

    def webhook_secret(self) -> str:
        """The secret that checks the service's calls, to keep like a password. One request."""
        self._check_open()
        with calling(None):
            answer = operations.get_webhook_secret.sync_detailed(client=self.api)
            return expected(answer.parsed, models.WebhookSecretEnvelope).data.secret

    def close(self) -> None:
        """End what `run_many` has under way, and close the connections. Closing twice does nothing."""
        try:
            for workers in tuple(self._at_work):
                workers.end()
        finally:
            self._http.close()

    def _submit(
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
                answer = operations.submit_task.sync_detailed(provider, name, client=self.api, body=body, webhook=hook)
            else:
                answer = operations.submit_task_variant.sync_detailed(
                    provider, name, variant, client=self.api, body=body, webhook=hook
                )
            task = task_from_envelope(answer.parsed, call.answer, model=model)
        self._durations.submitted(task, self._clock.now())
        return task

    def _get(self, task: Task, deadline: Deadline | None, leaving: Callable[[], object] | None = None) -> Task:
        self._check_open()
        older = asked_by_older_path(task, self.settings.base_url)
        ask = operations.get_prediction.sync_detailed if older else operations.get_result.sync_detailed
        with calling(deadline, leaving) as call:
            answer = ask(task.id, client=self.api)
            return task_from_envelope(answer.parsed, call.answer, model=task.model)

    def _tasks(self, pages: TaskPages) -> Iterator[Task]:
        while pages.more:
            self._check_open()
            with calling(None) as call:
                answer = operations.list_predictions.sync_detailed(client=self.api, body=pages.query)
                found = pages.take(answer.parsed, call.answer)
            yield from found

    def _billings(self, pages: BillingPages) -> Iterator[Billing]:
        while pages.more:
            self._check_open()
            with calling(None):
                answer = operations.search_billings.sync_detailed(client=self.api, body=pages.query)
                found = pages.take(answer.parsed)
            yield from found

    def _wait(self, waiting: Waiting, on_update: Callable[[Task], object] | None) -> Task:
        with waiting.guarded():
            while waiting.goes_on():
                self._clock.sleep(waiting.delay())
                changed = waiting.saw(self._get(waiting.task, waiting.deadline.and_a_last_question()))
                if changed and on_update is not None:
                    on_update(waiting.task)
        return completed(waiting.task)

    def _check_open(self) -> None:
        if self._http.is_closed:
            raise ConfigurationError("This client is closed: build a new one.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"WaveSpeed({getattr(self, 'settings', 'not built')})"

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("A client cannot be pickled or copied: build one in each process.")
