"""Render the contact sheet of a journal: one HTML file that needs no network. All text is escaped."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import frozen
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..batch.journal import BILLED
from ..media.kinds import type_of
from ..task import is_url
from .escapes import clean
from .records import dollars, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..batch.reading import JournalEntry

TEMPLATE = "contact_sheet.html.j2"
# Bytes. Larger pictures are linked, like videos, so that the sheet opens fast.
LARGEST_PICTURE = 4 * 1024 * 1024
MOST_CHARACTERS = 4000


@frozen
class Output:
    """An output on the sheet.

    Attributes:
        text: The text, or the name of the file.
        picture: The picture as a data: URI.
        href: The link: to the saved file, or else to the service's URL.
    """

    text: str
    picture: str | None = None
    href: str | None = None


@frozen
class Card:
    """An input on the sheet."""

    number: int
    status: str
    prompt: str
    fields: str
    cost: str
    seconds: str
    task_id: str
    error: str
    outputs: Sequence[Output]


def contact_sheet(title: str, entries: Sequence[JournalEntry], folder: Path | None, sheet_folder: Path) -> str:
    """Render the sheet.

    Args:
        title: The title.
        entries: The journal's entries.
        folder: Where outputs were saved.
        sheet_folder: The sheet's own folder, since its links are relative.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["clean"] = clean
    cards = [_card(entry, folder, sheet_folder) for entry in entries]
    statuses = [card.status for card in cards]
    counted = [entry.cost for entry in entries if entry.cost is not None and entry.event in BILLED]
    return environment.get_template(TEMPLATE).render(
        title=title,
        cards=cards,
        counts=[(status, statuses.count(status)) for status in sorted(set(statuses))],
        cost=dollars(total(counted)) if counted else "",
        models=sorted({entry.model for entry in entries}),
    )


def _card(entry: JournalEntry, folder: Path | None, sheet_folder: Path) -> Card:
    prompt = entry.input.get("prompt")
    others = {name: value for name, value in entry.input.items() if name != "prompt" or not isinstance(prompt, str)}
    task = entry.task
    known_id = task.id if task is not None else entry.task_id
    return Card(
        number=entry.number,
        status=entry.event,
        prompt=_cut(prompt) if isinstance(prompt, str) else "",
        fields=_cut(json.dumps(others, ensure_ascii=False)) if others else "",
        cost="" if entry.cost is None else dollars(entry.cost),
        seconds="" if entry.seconds is None else f"{entry.seconds:.1f} s",
        task_id=known_id or "",
        error=_cut((task and task.error) or entry.error or ""),
        outputs=[]
        if task is None
        else [_output(task.id, *one, folder, sheet_folder) for one in enumerate(task.outputs, 1)],
    )


def _output(task_id: str, number: int, output: str | dict[str, Any], folder: Path | None, sheet_folder: Path) -> Output:
    saved = sorted(folder.glob(f"{task_id}-{number}.*")) if folder is not None else []
    if saved:
        return _file(saved[0], sheet_folder)
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    return Output(_cut(text), href=text.strip() if is_url(output) else None)


def _file(path: Path, sheet_folder: Path) -> Output:
    href = quote(os.fsencode(os.path.relpath(path, sheet_folder).replace(os.sep, "/")))
    kind = type_of(path.name)
    if not kind.startswith("image/") or path.stat().st_size > LARGEST_PICTURE:
        return Output(path.name, href=href)
    content = base64.b64encode(path.read_bytes()).decode()
    return Output(path.name, picture=f"data:{kind};base64,{content}", href=href)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
