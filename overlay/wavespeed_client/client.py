"""WaveSpeed: the sync client. Its rules live in submission, polling, task and transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from wavespeed_api import Client
from wavespeed_api.api.tasks import get_prediction, get_result, list_predictions, submit_task, submit_task_variant
from wavespeed_api.types import UNSET

from .call import calling
from .connection import connect, refuse_async
from .errors import ConfigurationError
from .paging import TaskPages
from .polling import Clock, Deadline, Waiting, checked_watcher, completed
from .settings import Settings
from .submission import CLOCK_SKEW, checked_input, checked_webhook, could_be, has_input, split_model
from .task import Task, asked_by_older_path, task_from_envelope, task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    import httpx

    from wavespeed_api.models import TaskInput

    from .errors import SubmissionUncertainError


class WaveSpeed:
    """A client of WaveSpeedAI's generation API, for one account. Threads may share it.

    Args:
        api_key: The account's key; else WAVESPEED_API_KEY.
        base_url: Where the API is; else WAVESPEED_BASE_URL, else https://api.wavespeed.ai.
        timeout: Seconds that one attempt of a call may take; else WAVESPEED_TIMEOUT, else 60.
        max_retries: How often a call is tried again; else WAVESPEED_MAX_RETRIES, else 3. A submission
            is sent again only if it certainly was not taken.
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
        http_client: httpx.Client | None = None,
    ) -> None:
        self.settings = Settings.resolve(api_key, base_url, timeout, max_retries)
        self._http = connect(self.settings, http_client)
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
        """The completed task. Asks at growing intervals until it has ended; a task that has ended is not asked for.

        Args:
            task: The task, or its id.
            timeout: Seconds to wait at most; 0 asks once, None waits without end.
            on_update: Called with the task each time its status has changed.

        Raises:
            TaskFailedError: The task ended, but not as completed.
            TaskTimeoutError: The time is up. The task runs on: wait for it again.
        """
        checked_watcher(on_update)
        return self._wait(Waiting(task_of(task), timeout, Deadline.after(timeout, self._clock)), on_update)

    def run(
        self,
        model: str,
        input: Mapping[str, Any] | TaskInput | None = None,
        *,
        timeout: float | None = 600.0,
        on_update: Callable[[Task], object] | None = None,
    ) -> Task:
        """The completed task: submit and wait in one. Costs what `submit` costs.

        Args:
            model: The model's id, such as wavespeed-ai/flux-dev.
            input: The model's input.
            timeout: Seconds from this call on. A submission that is under way is not cut short.
            on_update: Called with the new task, and again each time its status has changed.

        Raises:
            TaskFailedError: The task ended, but not as completed.
            TaskTimeoutError: The time is up. The task runs on: wait for it by the id in the error.
            SubmissionUncertainError: See `submit`, as for every other error.
        """
        checked_watcher(on_update)
        deadline = Deadline.after(timeout, self._clock)
        waiting = Waiting(self._submit(model, input, None, deadline), timeout, deadline)
        with waiting.guarded():
            if on_update is not None:
                on_update(waiting.task)
        return self._wait(waiting, on_update)

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
        return self._tasks(TaskPages.of(model, status, created_after, created_before))

    def find_submissions(self, error: SubmissionUncertainError) -> list[Task]:
        """The tasks that an uncertain submission may have started: look here before you pay again.

        They are tasks of that model, submitted since then, whose input is the same or is not told; if there
        are none, tasks with the same input under any other name of the model. It takes one request for each
        100 tasks. When none is found, look again a little later: a list may lag behind.
        """
        since = error.submitted_at - CLOCK_SKEW
        of_model = self.tasks(model=error.model, created_after=since)
        found = [task for task in of_model if could_be(task, error)]
        # The service may know the model by another name.
        of_any = self.tasks(created_after=since)
        return found or [task for task in of_any if has_input(task, error)]

    def close(self) -> None:
        """Close the connections. Closing twice does nothing."""
        self._http.close()

    def _submit(
        self,
        model: str,
        input: Mapping[str, Any] | TaskInput | None,
        webhook: str | None,
        deadline: Deadline | None,
    ) -> Task:
        provider, name, variant = split_model(model)
        body, hook = checked_input(input), checked_webhook(webhook) or UNSET
        self._check_open()
        with calling(deadline) as call:
            if variant is None:
                answer = submit_task.sync_detailed(provider, name, client=self.api, body=body, webhook=hook)
            else:
                answer = submit_task_variant.sync_detailed(
                    provider, name, variant, client=self.api, body=body, webhook=hook
                )
            return task_from_envelope(answer.parsed, call.answer, model=model)

    def _get(self, task: Task, deadline: Deadline | None) -> Task:
        self._check_open()
        older = asked_by_older_path(task, self.settings.base_url)
        ask = get_prediction.sync_detailed if older else get_result.sync_detailed
        with calling(deadline) as call:
            answer = ask(task.id, client=self.api)
            return task_from_envelope(answer.parsed, call.answer, model=task.model)

    def _tasks(self, pages: TaskPages) -> Iterator[Task]:
        while pages.more:
            self._check_open()
            with calling(None) as call:
                answer = list_predictions.sync_detailed(client=self.api, body=pages.query)
                found = pages.take(answer.parsed, call.answer)
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
