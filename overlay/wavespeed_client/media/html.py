"""Render tasks, outcomes and models as HTML for a notebook. Pure: the browser loads the media.

Text from the service is escaped, and only http(s) URLs become links or media.
"""

from __future__ import annotations

import json
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING

from .kinds import name_in, type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..batch.outcome import Outcome
    from ..task import Task

KEPT = timedelta(days=7)
MOST_CHARACTERS = 2000

# Media that browsers show, except the types in _NOT_SHOWN; everything else is only linked.
_ELEMENTS = {
    "image": '<img src="{url}" alt="{url}" loading="lazy" referrerpolicy="no-referrer" {style}>',
    "video": '<video src="{url}" controls preload="metadata" {style}></video>',
    "audio": '<audio src="{url}" controls preload="none"></audio>',
}
_NOT_SHOWN = frozenset(
    {"image/heic", "image/jxl", "image/tiff", "video/mpeg", "video/x-matroska", "video/x-msvideo", "audio/aiff"}
)
_LEFT = 'style="text-align: left"'
_STYLE = 'style="max-width: 100%; max-height: 24em"'


def task_html(task: Task) -> str:
    """Render a task with its outputs."""
    rows = [("task", task.id), ("model", task.model), ("status", task.status)]
    rows += [("error", task.error)] if task.error else []
    rows += [("created", _moment(task, timedelta(0))), ("kept until", _moment(task, KEPT))] if task.created_at else []
    return _table(rows) + "".join(_output(output, task.urls) for output in task.outputs)


def outcome_html(outcome: Outcome) -> str:
    """Render an outcome with its task."""
    rows = [("index", str(outcome.index)), ("input", _text(outcome.input))]
    rows += [("error", f"{type(outcome.error).__name__}: {outcome.error}")] if outcome.error else []
    return _table(rows) + (task_html(outcome.task) if outcome.task else "")


def model_html(about: list[tuple[str, str]], heads: Sequence[str], rows: list[tuple[str, ...]]) -> str:
    """Render the facts about a model, and a table of its input."""
    lines = [_row("th", heads), *(_row("td", row) for row in rows)]
    return _table(about) + (f"<table>{''.join(lines)}</table>" if rows else "")


def _row(cell: str, texts: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{cell} {_LEFT}>{escape(text)}</{cell}>' for text in texts)}</tr>"


def _table(rows: list[tuple[str, str]]) -> str:
    cells = (f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(_cut(value))}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _moment(task: Task, later: timedelta) -> str:
    try:
        return f"{task.created_at + later:%Y-%m-%d %H:%M} UTC" if task.created_at else ""
    except OverflowError:  # after the year 9999
        return ""


def _output(output: object, urls: tuple[str, ...]) -> str:
    if isinstance(output, str) and output.strip() in urls:
        return f"<div>{_media(output.strip())}</div>"
    return f'<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{escape(_cut(_text(output)))}</pre>'


def _media(url: str) -> str:
    kind = type_of(name_in(url))
    element = "" if kind in _NOT_SHOWN else _ELEMENTS.get(kind.partition("/")[0], "")
    shown = element.format(url=escape(url), style=_STYLE)
    link = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(_cut(url))}</a>'
    return f"{shown}<br>{link}" if shown else link


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=repr)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\u2026 ({len(text):,} characters)"
