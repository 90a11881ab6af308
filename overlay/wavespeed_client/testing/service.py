"""The state of one account, and the service's response to each operation. Pure: no HTTP."""

from __future__ import annotations

import sys
import uuid
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import define, field

from . import catalogue
from .errors import RefusedError
from .inputs import Inputs
from .records import keep_task, keep_under
from .script import Script, ScriptedTask
from .wire import Response, success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..catalogue.schema import Facts
    from .arrangements import Kind

KINDS: dict[str, Kind] = {
    "submit_task": "submit",
    "submit_task_variant": "submit",
    "get_result": "poll",
    "get_prediction": "poll",
    "list_predictions": "list",
    "delete_predictions": "delete",
    "create_upload": "upload",
    "upload_binary": "binary",
    "list_models": "models",
    "get_price": "price",
    "get_balance": "balance",
    "get_usage": "usage",
    "search_billings": "billings",
    "get_webhook_secret": "secret",
}


@define
class Service:
    """One account of the service.

    Attributes:
        models: The ids of the models in the catalogue.
        credit: The account's balance in USD before any task.
        webhook_secret: The account's webhook secret.
        url: The base URL.
        inputs: The inputs of the loaded models.
        only: Whether models outside the catalogue are refused.
    """

    models: set[str]
    credit: float
    webhook_secret: str
    url: str = ""
    inputs: Inputs = field(init=False, factory=Inputs)
    only: bool = field(init=False, default=False)
    tasks: dict[str, ScriptedTask] = field(init=False, factory=dict[str, ScriptedTask])
    scripts: dict[str, Script] = field(init=False, factory=dict[str, Script])
    files: dict[str, bytes] = field(init=False, factory=dict[str, bytes])
    _tickets: dict[str, str] = field(init=False, factory=dict[str, str])
    _submitted: int = field(init=False, default=0)

    def clear(self) -> None:
        """Delete all tasks, scripts and files. The catalogue stays."""
        for state in (self.tasks, self.scripts, self.files, self._tickets):
            state.clear()
        self._submitted = 0

    def submit(self, model: str, input: dict[str, Any], webhook: str | None) -> ScriptedTask:
        """Create a task. In sync mode, its first response has the last status."""
        now = f"{datetime.now(UTC):%FT%T.%fZ}"
        script = self.scripts.get(model, Script())
        task = ScriptedTask(uuid.uuid4().hex, model, script, now, input, webhook or input.get("webhook_url"))
        if input.get("enable_sync_mode") is True:
            task.finish()
        keep_task(self.tasks, task)
        self._submitted += 1
        return task

    def advance(self, task: ScriptedTask) -> Response:
        """Move a task to its next status; return the response with it."""
        task.times_returned += 1
        return success(task.state(self.url))

    def poll(self, task_id: str) -> Response:
        """Advance the task with this id; return the response.

        Raises:
            RefusedError: The task does not exist.
        """
        if task_id not in self.tasks:
            raise RefusedError(404, "Prediction not found.")
        return self.advance(self.tasks[task_id])

    def states(self, last: int = sys.maxsize) -> list[dict[str, Any]]:
        """Return the last tasks with their inputs. Does not advance them."""
        return [self._row(task) for task in list(self.tasks.values())[-last:]]

    def account(self, kind: Kind, query: dict[str, Any]) -> Response:
        """Respond to a request about the account.

        Raises:
            RefusedError: A model is not in the catalogue, or a time is invalid.
        """
        try:
            return success(self._data(kind, query))
        except ValueError as error:
            raise RefusedError(400, str(error)) from error

    def _data(self, kind: Kind, query: dict[str, Any]) -> object:
        match kind:
            case "list":
                return self._page(query, self._row if query.get("include_inputs") else self._state)
            case "delete":
                return {"deleted_count": self._delete(query["ids"])}
            case "models":
                return [catalogue.model_row(model, self.inputs.facts.get(model)) for model in sorted(self.models)]
            case "price":
                self.check_listed(query["model_id"])
                return catalogue.price(query["model_id"])
            case "balance":
                return {"balance": round(self.credit - catalogue.PRICE * self._submitted, 6)}
            case "usage":
                return catalogue.usage([(task.model, task.created_at[:10]) for task in self._found(query)])
            case "billings":
                return self._page(query, _bill)
            case "upload":
                return self._ticket(query)
            case _:
                return {"secret": self.webhook_secret}

    def load(self, models: Mapping[str, Facts], only: bool) -> None:
        """Add models to the catalogue; with `only`, remove the models that were not loaded."""
        self.inputs.load(models)
        self.only = only
        if only:
            self.models.intersection_update(self.inputs.facts)
        self.models.update(models)

    def check_listed(self, model: str) -> None:
        """Check that the catalogue has a model.

        Raises:
            RefusedError: It does not.
        """
        if model not in self.models:
            raise RefusedError(404, f'Model "{model}" not found.')

    def _found(self, query: dict[str, Any]) -> list[ScriptedTask]:
        """Return the tasks that match the filters of a query, the newest first."""
        return [task for task in reversed(self.tasks.values()) if task.fits(query)]

    def _page(self, query: dict[str, Any], shown: Callable[[ScriptedTask], dict[str, Any]]) -> dict[str, Any]:
        page, size = int(query["page"]), int(query["page_size"])  # JSON Schema accepts 2.0 as an integer
        found = self._found(query)[(page - 1) * size : page * size]
        return {"page": page, "items": [shown(task) for task in found] or None}

    def _state(self, task: ScriptedTask) -> dict[str, Any]:
        return task.state(self.url)

    def _row(self, task: ScriptedTask) -> dict[str, Any]:
        return task.state(self.url) | {"inputs": task.input}

    def _delete(self, ids: list[str]) -> int:
        """Delete those of the tasks that have ended; return how many."""
        ended = [found for found in map(self.tasks.get, dict.fromkeys(ids)) if found and found.ended]
        for task in ended:
            del self.tasks[task.id]
        return len(ended)

    def _ticket(self, query: dict[str, Any]) -> dict[str, Any]:
        path, token = _new_path(query["filename"]), uuid.uuid4().hex
        keep_under(self._tickets, token, path)
        headers = {"Content-Type": query.get("content_type", "application/octet-stream"), "If-None-Match": "*"}
        url, expires = f"{self.url}/storage/{token}", "2100-01-01T00:00:00Z"
        upload = {"method": "PUT", "url": url, "headers": headers, "expires_at": expires}
        return {**self._media(path, query["size"]), "upload": upload}

    def store(self, name: str, content: bytes) -> Response:
        """Store a file that was uploaded in one request."""
        path = _new_path(name)
        keep_under(self.files, path, content)
        return success(self._media(path, len(content)))

    def redeem(self, token: str, content: bytes) -> Response:
        """Store a file that was uploaded with a ticket. A ticket can be used once.

        Raises:
            RefusedError: The ticket is unknown or used.
        """
        path = self._tickets.pop(token, None)
        if path is None:
            raise RefusedError(412, "The ticket is unknown, or was used before.")
        keep_under(self.files, path, content)
        return Response(200, b"")

    def file(self, path: str) -> Response:
        """Return the file or the task's output at a path.

        Raises:
            RefusedError: There is neither.
        """
        task_id = path.removeprefix("/media/").removesuffix("/1.jpeg")
        content = self.files.get(path, OUTPUT if task_id in self.tasks else None)
        if content is None:
            raise RefusedError(404, "No such file.")
        # Whatever it is, it is sent as an image, so that a browser does not run an uploaded page or script.
        return Response(200, content, "image/jpeg")

    def _media(self, path: str, size: int) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        return {"type": "image", "download_url": f"{self.url}{quote(path)}", "filename": name, "size": size}


# The output of every task: a JPEG of 16 x 16 pixels.
OUTPUT = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71"
    "////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4"
    "+Pj4+Pj4+Pj/wAARCAAQABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAgAD/8QAFRABAQAAAAAAAAAAAAAAAAAAAQD/"
    "xAAVAQEBAAAAAAAAAAAAAAAAAAAAAv/EABURAQEAAAAAAAAAAAAAAAAAAAMA/9oADAMBAAIRAxEAPwDIJhQSCpEhnf/Z"
)


def _new_path(name: str) -> str:
    return f"/media/{uuid.uuid4().hex}/{PurePosixPath(name).name or 'file'}"


def _bill(task: ScriptedTask) -> dict[str, Any]:
    return catalogue.billing(task.id, task.model, task.status, task.created_at)
