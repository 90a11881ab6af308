"""WaveSpeed: the sync client. The rules that it shares with the async one are in other modules."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypeVar

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
    from collections.abc import Callable, Generator, Iterator, Sequence
    from datetime import datetime
    from os import PathLike
    from pathlib import Path

    import httpx

    from .arguments import Input, OnBytes, OnUpdate
    from .batch.options import Inputs, Options
    from .batch.outcome import Outcome, Progress
    from .batch.threads import Workers
    from .catalogue.model_info import ModelInfo
    from .catalogue.paging import Pages
    from .catalogue.rows import Billing, Model, Price, UsageStats
    from .files.kinds import FileInput
    from .files.uploads import Uploads
    from .task import Task
    from .typed.model import TypedModel
    from .typed.token import I, ModelOf

T = TypeVar("T")


class WaveSpeed(Shell):
    """A client of WaveSpeedAI's generation API, for one account. Threads may share it.

    Args:
        api_key: The account's key; by default WAVESPEED_API_KEY.
        base_url: The API's URL; by default WAVESPEED_BASE_URL, or https://api.wavespeed.ai.
        timeout: Seconds for each attempt at a request; by default WAVESPEED_TIMEOUT, or 60.
        max_retries: How often a failed request is sent again; by default WAVESPEED_MAX_RETRIES, or 3.
        http_client: An HTTP client of yours to send the requests, for unusual proxies or certificates. You close it.

    Attributes:
        api: The generated client, for calling generated functions directly, with the same key, retries and errors.
        settings: The client's settings.

    Raises:
        ConfigurationError: There is no key, or an argument or environment variable is wrong.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        # Imported here, so that `from wavespeed_client import WaveSpeed` does not load the network modules.
        from .transport.chain import connect

        settings = Settings.resolve(api_key, base_url, timeout, max_retries)
        self.api = connect(settings, http_client)
        super().__init__(settings, self.api.get_httpx_client())
        self._catalogue_lock = Lock()
        self._at_work: set[Workers] = set()

    def submit(self, model: str, input: Input = None, *, webhook: str | None = None) -> Task:
        """Submit a task. This is the call that costs money: one request, one billed task if it succeeds.

        The request is sent again only if the service certainly did not accept it (no connection, or HTTP 429).

        Args:
            model: The model's id, such as wavespeed-ai/flux-dev.
            input: The model's input. A `FileInput` anywhere in it (a `Path`, a file open for reading bytes, an image
                object) is uploaded first, for two requests and free of charge, each content once.
            webhook: URL that the service calls when the task has ended.

        Raises:
            InvalidInputError: An argument is wrong; the message names the field. Nothing was submitted.
            APIError: The service refused the submission or a file. Nothing was started.
            APIConnectionError: The submission or a file could not be sent. Nothing was started.
            SubmissionUncertainError: It was sent, but its response was lost: call `find_submissions` first.
        """
        fields = self._with_urls(Deadline.after(None, self._clock), model, input, webhook)
        return self._submit(Context(), model, fields, webhook)

    def get(self, task: Task | str) -> Task:
        """Request a task and return it, whatever its status. One request, free of charge.

        Raises:
            InvalidInputError: It is neither a task nor a task's id.
            NotFoundError: There is no such task, or it was submitted more than 7 days ago.
        """
        return self._get(Context(), task_of(task))

    def wait(self, task: Task | str, *, timeout: float | None = 600.0, on_update: OnUpdate = None) -> Task:
        """Wait until a task has completed. A task that has ended is returned without a request.

        It polls when the task has probably ended. A temporary error such as HTTP 503 does not end the wait.

        Args:
            task: The task, or its id.
            timeout: Seconds to wait at most; 0 polls once. With None it gives up after 10 minutes without a response.
            on_update: Called with the task each time its status has changed.

        Raises:
            TaskFailedError: The task ended, but not as completed.
            TaskTimeoutError: The time is up. The task is still running: wait for it again.
        """
        check_callable(on_update, "on_update", "a task")
        deadline = Deadline.after(timeout, self._clock)
        return self._wait(Wait(task_of(task), timeout, deadline, self._durations), on_update)

    def run(
        self,
        model: str,
        input: Input = None,
        *,
        timeout: float | None = 600.0,
        on_update: OnUpdate = None,
        max_cost: float | None = None,
    ) -> Task:
        """Submit a task and wait until it has completed. Costs what `submit` costs.

        Args:
            timeout: Seconds from this call on, including uploads. It never cuts a submission short.
            on_update: Called with the new task, and again each time its status has changed.
            max_cost: Most that the task may cost, in USD. After any uploads, one more request gets the price.

        Raises:
            CostLimitError: The task would cost more. Nothing was submitted.
            TaskFailedError, TaskTimeoutError: See `wait`. The error's `task` can be waited for again.
            WaveSpeedError: See `submit` for all others.
        """
        check_callable(on_update, "on_update", "a task")
        check_limit(max_cost)
        deadline = Deadline.after(timeout, self._clock)
        fields = self._with_urls(deadline, model, input)
        if max_cost is not None:
            check_cost(self.price(model, fields), max_cost)
        task = self._submit(Context(deadline), model, fields)
        wait = Wait(task, timeout, deadline, self._durations)
        with wait.guarded():
            if on_update is not None:
                on_update(task)
        return self._wait(wait, on_update)

    def run_many(
        self,
        model: str,
        inputs: Inputs,
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
    ) -> Generator[Outcome]:
        """Run many inputs and yield an outcome for each as it ends: the completed task, or the error.

        Costs as much as a `submit` for each input. Once you leave the loop, nothing more is sent.

        Args:
            model: The model's id.
            inputs: Any iterable. It is read in your thread when there is room, so it must not wait for outcomes. Two
                equal inputs are two tasks. Files in them are uploaded as for `submit`, each content once.
            max_in_flight: Tasks at once, including those whose outcomes you have not taken yet.
            max_per_minute: Submissions within any 60 seconds.
            timeout: Seconds for each task from its submission on, and for retries of an input after HTTP 429.
            journal: A file from which a killed run continues (extra `batch`), or the address of a PostgreSQL database
                (extra `postgres`): a URL that begins with postgresql://, env:NAME, or service=name.
            batch: The batch's name in the database. Only one run at a time may use it.
            max_cost: Most that a task may cost, in USD. The outcome of one that costs more is a CostLimitError. With
                this or a budget, one more request per input gets its price before it is submitted.
            budget: Most that all tasks may cost, in USD, including those in the journal; `math.inf` only counts.
                A price counts unless its task was not started or has failed. Once a price does not fit, nothing more
                is submitted, and the outcomes of all further inputs are CostLimitErrors.
            retry_failed: Whether to submit an input again if its task failed in an earlier run with this journal.
            on_progress: Called in your thread before each outcome. If it raises, the run ends with that error.

        Raises:
            InvalidInputError: An argument is wrong; or, at the first outcome, the journal is unreadable or in use.
            ConfigurationError: The extra is missing, or the journal cannot be written. Nothing is sent.
        """
        from .batch.options import checked_options

        limits, money = (max_in_flight, max_per_minute, timeout), (max_cost, budget, retry_failed)
        options = checked_options(self.settings, model, inputs, *limits, journal, on_progress, batch, *money)
        return self._outcomes(options, inputs)

    def _outcomes(self, options: Options, inputs: Inputs) -> Generator[Outcome]:
        from .batch.options import pulled_from
        from .batch.threads import outcomes

        calls = (self._submit, self._get, self._price, self.find_submissions, self._uploads)
        return outcomes(self._batch(options), pulled_from(inputs), calls, self._at_work)

    def use(self, model: ModelOf[I]) -> TypedModel[I]:
        """Return a model with typed inputs, from a token that `wavespeed_client.typed` wrote. No request."""
        from .typed.model import TypedModel, id_of  # loaded on first use

        return TypedModel(id_of(model), self)

    def tasks(
        self,
        *,
        model: str | None = None,
        status: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> Iterator[Task]:
        """List your organization's tasks of the last 7 days, newest first. One request for each 100, when needed.

        Args:
            model: Only tasks of this model id.
            status: Only created, processing, completed, failed, cancelled, timeout or deleted ones.
            created_after: Only tasks submitted after this moment, which needs a time zone.
            created_before: Only tasks submitted before this moment, which needs a time zone.

        Raises:
            InvalidInputError: A filter is wrong. Raised by the call itself, before any request.
        """
        return self._listed(self._calls.tasks(model, status, created_after, created_before))

    def find_submissions(self, error: SubmissionUncertainError) -> list[Task]:
        """Find the tasks that an uncertain submission may have started: look here before you pay again.

        If the error names a task, only that one is returned. Otherwise, these are all tasks that your organization has
        submitted to that model since then, with the same or an unknown input; or if there are none, tasks of any model
        with the same input. One request for the service's time and one for each 100 tasks. If nothing is found, look
        again some minutes later: the list or the submission may be delayed.
        """
        since = searched_from(error)
        if error.task_id is not None:
            with suppress(NotFoundError):
                return [self.get(error.task_id)]
        since += self._calls.clock_lead().send()
        found = [task for task in self._submitted_since(error.model, since) if could_be(task, error)]
        # The service may know the model by another name.
        return found or [task for task in self._submitted_since(None, since) if has_input(task, error)]

    def delete(self, *tasks: Task | str) -> int | None:
        """Permanently delete task records; return how many, or None if the service does not say.

        One request for each 100. Unknown ids and running tasks are skipped: this cancels nothing.
        """
        return total([self._calls.delete(ids).send() for ids in deletions(tasks)])

    def upload(
        self,
        file: str | FileInput | PathLike[str],
        *,
        filename: str | None = None,
        content_type: str | None = None,
        on_progress: OnBytes = None,
    ) -> str:
        """Upload a file; return a URL of it to use in inputs. The service keeps it for 7 days.

        One request to the API, and one to its storage host, which does not get the key.

        Args:
            file: A path, a file that is open for reading bytes, or an image object; at most 200 MiB.
            filename: A name whose ending fits its media type; else the file's own name.
            content_type: Its media type; else guessed from the name.
            on_progress: Called with the bytes sent so far and the total.

        Raises:
            InvalidInputError: The file cannot be read, is too large, or changed while it was read.
            APIConnectionError: The upload broke off: upload again.
        """
        from .files.upload import opened, send

        self._check_open()
        with opened(file, filename, content_type) as source:
            ticket = self._calls.upload(Context(), source.query()).send()
            send(ticket, source, self.settings.timeout, on_progress)
        return ticket.download_url

    def download(self, url: str, to: str | PathLike[str], *, on_progress: OnBytes = None) -> Path:
        """Download an output; return where it was written. A download that fails leaves no file.

        One request to the output's own host, which does not get the key; more if the download breaks off.

        Args:
            url: An output of a task: a URL, a data: URI, or base64 data.
            to: The file to write or replace; or a folder (an existing one, or a path that ends with a separator).
                Nothing in a folder is replaced: if it has a 1.jpeg, the new file is 1-2.jpeg.
            on_progress: Called with the bytes received so far, and the total if the host gives it.

        Raises:
            NotFoundError: The file is gone.
            APIConnectionError: The download broke off each time.
            UnexpectedResponseError: The host does not say where the file ends.
            InvalidInputError: The output cannot be read, or the file cannot be written.
        """
        from .files.download import fetch, place_for

        self._check_open()
        return fetch(url, place_for(url, to), self.settings.timeout, on_progress, self.settings.max_retries)

    def save(self, task: Task | Outcome, folder: str | PathLike[str], *, on_progress: OnBytes = None) -> list[Path]:
        """Save all outputs of a completed task; return their files, in the order of the outputs.

        The files are {task.id}-1.jpeg, {task.id}-2.jpeg, ... Base64 and data: URIs are decoded, text becomes .txt, an
        object .json. One request for each URL that was not saved before, at most 4 at once. If one output fails, the
        others are still saved.

        Args:
            task: The task, or the outcome of a batch.
            folder: Where to put the files; made if it does not exist.
            on_progress: Called in your thread with the bytes received so far, and the total once it is known.

        Raises:
            TaskError: The task has not ended, or not as completed.
            WaveSpeedError: The error of the outcome, or of the first output that was not saved; see `download`.
        """
        from .files.save import save

        self._check_open()
        return save(task, folder, self.settings, on_progress)

    def models(self) -> list[Model]:
        """List all models with their prices in USD and their input schemas. One request, about 2 MB."""
        return self._calls.models().send()

    def model(self, model: str) -> ModelInfo:
        """Describe a model: print the result, or read its `inputs`. Free of charge; one request of 2 MB an hour.

        Raises:
            InvalidModelError: It is not a model id, or there is no such model: the message names three close ones.
        """
        model_id(model)
        self._check_open()
        with self._catalogue_lock:
            if not self._catalogue.is_kept(now := self._clock.now()):
                self._catalogue = Catalogue.of(self.models(), now)
            return self._catalogue.info(model)

    def price(self, model: str, input: Input = None) -> Price:
        """Return the price of a task; `discounted_price` is the one the account pays. One request, free of charge.

        Without an input, it is the model's base price. With files, which are not uploaded, it is an estimate.

        Raises:
            InvalidInputError: The model id or the input is wrong.
            NotFoundError: There is no such model.
        """
        return self._price(Context(), model, input)

    def balance(self) -> float:
        """Return the account's balance in USD. One request."""
        return self._calls.balance().send()

    def usage(self, start: datetime, end: datetime, *, model: str | None = None) -> UsageStats:
        """Add up the usage of all models, or of one: in total, by model and by day, in USD. One request.

        Raises:
            InvalidInputError: A time has no time zone, or the span is empty or longer than 31 days.
        """
        return self._calls.usage(start, end, model).send()

    def billings(
        self,
        *,
        billing_type: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        prediction_ids: Sequence[str] = (),
    ) -> Iterator[Billing]:
        """List charges and refunds in USD, newest first. One request for each 100, when needed.

        Args:
            billing_type: Only deduct (charges) or refund.
            start: Only records from this moment on; it needs a time zone.
            end: Only records before this moment; it needs a time zone.
            prediction_ids: Only records of the tasks with these ids.
        """
        return self._listed(self._calls.billings(billing_type, start, end, prediction_ids))

    def webhook_secret(self) -> str:
        """Return the secret that signs webhook calls for tasks of this key. Keep it secret. One request."""
        return self._calls.webhook_secret().send()

    def close(self) -> None:
        """Stop running batches and close the connections. Closing twice does nothing."""
        try:
            for workers in tuple(self._at_work):
                workers.end()
        finally:
            self._http.close()

    def _with_urls(self, deadline: Deadline, model: str, input: Input, webhook: str | None = None) -> dict[str, Any]:
        fields, files = self._fields_and_files(model, input, webhook)
        if not files:
            return fields
        uploads = self._uploads().urls(files, deadline)
        return placed(fields, {place: upload.url for place, upload in uploads.items()})

    def _uploads(self) -> Uploads:
        from .files.uploads import Uploads  # loaded on first use

        made = Uploads(self._calls, self.settings.timeout)
        uploads: Uploads = self.__dict__.setdefault("_kept_uploads", made)  # threads share it
        return uploads

    def _submit(self, context: Context, model: str, fields: dict[str, Any], webhook: str | None = None) -> Task:
        task = self._calls.submit(context, model, fields, webhook).send()
        self._durations.submitted(task, self._clock.now())
        return task

    def _get(self, context: Context, task: Task) -> Task:
        return self._calls.get(context, task).send()

    def _price(self, context: Context, model: str, input: Input) -> Price:
        return self._calls.price(context, model, input).send()

    def _wait(self, wait: Wait, on_update: OnUpdate) -> Task:
        with wait.guarded():
            while wait.goes_on():
                self._clock.sleep(wait.delay())
                try:
                    task = self._get(Context(wait.deadline.and_a_last_poll()), wait.task)
                except WaveSpeedError as error:
                    wait.missed(error)
                    continue
                if wait.saw(task) and on_update is not None:
                    on_update(wait.task)
        return completed(wait.task)

    def _submitted_since(self, model: str | None, since: datetime) -> list[Task]:
        with suppress(BadRequestError):  # include_inputs is not documented
            return list(self._listed(self._calls.tasks(model, None, since, None, True)))
        return list(self._listed(self._calls.tasks(model, None, since, None)))

    def _listed(self, pages: Pages[T]) -> Iterator[T]:
        while pages.more:
            yield from pages.take(pages.next_call().send())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
