"""Service: what the service keeps of an account, and what it answers to each operation. No HTTP."""

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
from .inputs import Inputs
from .records import keep_task, keep_under
from .script import Script, ScriptedTask
from .wire import refusal, success

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..catalogue.schema import Facts
    from .arrangements import Kind
    from .wire import Answer

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


class RefusedError(Exception):
    """The service refuses a request with this answer."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = refusal(status, message)
        self.headers = headers


@define
class Service:
    """One account of the service, as plain state.

    Attributes:
        models: The ids of its catalogue.
        credit: The account's money in USD, before the tasks are paid.
        webhook_secret: The account's webhook secret.
        url: Where the service is reached.
        inputs: What the models that were loaded take.
        only: Whether no other model than those of the catalogue can be submitted to.
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
        """Forget every task, script and file. Models that were loaded stay, as the others of the catalogue do."""
        for state in (self.tasks, self.scripts, self.files, self._tickets):
            state.clear()
        self._submitted = 0

    def submit(self, model: str, input: dict[str, Any], webhook: str | None) -> ScriptedTask:
        """A new task. In sync mode it has ended when it is told for the first time."""
        now = f"{datetime.now(UTC):%FT%T.%fZ}"
        script = self.scripts.get(model, Script())
        task = ScriptedTask(uuid.uuid4().hex, model, script, now, input, webhook or input.get("webhook_url"))
        if input.get("enable_sync_mode") is True:
            task.finish()
        keep_task(self.tasks, task)
        self._submitted += 1
        return task

    def tell(self, task: ScriptedTask) -> Answer:
        """The task, one status further than it was told last."""
        task.times_told += 1
        return success(task.state(self.url))

    def poll(self, task_id: str) -> Answer:
        """The task with this id.

        Raises:
            RefusedError: There is none.
        """
        if task_id not in self.tasks:
            raise RefusedError(404, "Prediction not found.")
        return self.tell(self.tasks[task_id])

    def states(self, last: int = sys.maxsize) -> list[dict[str, Any]]:
        """The last tasks with their inputs, as they stand. Looking does not move them on."""
        return [task.state(self.url) | {"inputs": task.input} for task in list(self.tasks.values())[-last:]]

    def ask(self, kind: Kind, query: dict[str, Any]) -> Answer:
        """The answer to a question about the account.

        Raises:
            RefusedError: It asks for a model that is not in the catalogue, or names a moment that is none.
        """
        try:
            return success(self._data(kind, query))
        except ValueError as error:
            raise RefusedError(400, str(error)) from error

    def _data(self, kind: Kind, query: dict[str, Any]) -> object:
        tasks = list(self.tasks.values())
        match kind:
            case "list":
                found = [task for task in reversed(tasks) if task.fits(query)]
                told = [{"inputs": task.input} if query.get("include_inputs") else {} for task in found]
                return _page([task.state(self.url) | more for task, more in zip(found, told, strict=True)], query)
            case "delete":
                return {"deleted_count": self._delete(query["ids"])}
            case "models":
                return [catalogue.model_row(model, self.inputs.facts(model)) for model in sorted(self.models)]
            case "price":
                return catalogue.price(self.listed(query["model_id"]))
            case "balance":
                return {"balance": round(self.credit - catalogue.PRICE * self._submitted, 6)}
            case "usage":
                span, only = (query["start_time"], query["end_time"]), query.get("model_uuid")
                used = [task for task in tasks if task.created_between(*span) and only in (None, task.model)]
                return catalogue.usage([(task.model, task.created_at[:10]) for task in used])
            case "billings":
                return _page([_bill(task) for task in reversed(tasks) if task.bills(query)], query)
            case "upload":
                return self._ticket(query)
            case _:
                return {"secret": self.webhook_secret}

    def load(self, models: Mapping[str, Facts], only: bool) -> None:
        """Add models to the catalogue, in place of all others if they are the only ones."""
        self.inputs.load(models)
        self.only = only
        if only:
            self.models.intersection_update(self.inputs)
        self.models.update(models)

    def listed(self, model: str) -> str:
        """Return a model's id, if the catalogue has it.

        Raises:
            RefusedError: It does not.
        """
        if model not in self.models:
            raise RefusedError(404, f'Model "{model}" not found.')
        return model

    def _delete(self, ids: list[str]) -> int:
        """Delete what has ended, and say how many that were."""
        gone = [found for found in map(self.tasks.get, dict.fromkeys(ids)) if found and found.ended]
        for task in gone:
            del self.tasks[task.id]
        return len(gone)

    def _ticket(self, query: dict[str, Any]) -> dict[str, Any]:
        token, name = uuid.uuid4().hex, _base_name(query["filename"])
        keep_under(self._tickets, token, name)
        headers = {"Content-Type": query.get("content_type", "application/octet-stream"), "If-None-Match": "*"}
        url, expires = f"{self.url}/storage/{token}", "2100-01-01T00:00:00Z"
        upload = {"method": "PUT", "url": url, "headers": headers, "expires_at": expires}
        return {**self._media(token, name, query["size"]), "upload": upload}

    def store(self, name: str, content: bytes) -> Answer:
        """Keep a file that came in one step."""
        token, name = uuid.uuid4().hex, _base_name(name)
        keep_under(self.files, f"/media/{token}/{name}", content)
        return success(self._media(token, name, len(content)))

    def redeem(self, token: str, content: bytes) -> bool:
        """Keep a file that came with a ticket; False when the ticket is unknown or used."""
        name = self._tickets.pop(token, None)
        if name is not None:
            keep_under(self.files, f"/media/{token}/{name}", content)
        return name is not None

    def file(self, path: str) -> bytes | None:
        """The file or the task's output under this path."""
        task_id = path.removeprefix("/media/").removesuffix("/1.jpeg")
        return self.files.get(path, OUTPUT if task_id in self.tasks else None)

    def _media(self, token: str, name: str, size: int) -> dict[str, Any]:
        url = f"{self.url}/media/{token}/{quote(name)}"
        return {"type": "image", "download_url": url, "filename": name, "size": size}


# What an output of a task can be downloaded as: a picture of 16 x 16 points.
OUTPUT = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71"
    "////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4"
    "+Pj4+Pj4+Pj/wAARCAAQABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAgAD/8QAFRABAQAAAAAAAAAAAAAAAAAAAQD/"
    "xAAVAQEBAAAAAAAAAAAAAAAAAAAAAv/EABURAQEAAAAAAAAAAAAAAAAAAAMA/9oADAMBAAIRAxEAPwDIJhQSCpEhnf/Z"
)


def _base_name(name: str) -> str:
    return PurePosixPath(name).name or "file"


def _page(items: list[Any], query: dict[str, Any]) -> dict[str, Any]:
    page, size = int(query["page"]), int(query["page_size"])  # 2.0 is a whole number too
    return {"page": page, "items": items[(page - 1) * size : page * size] or None}


def _bill(task: ScriptedTask) -> dict[str, Any]:
    return catalogue.billing(task.id, task.model, task.status, task.created_at)
