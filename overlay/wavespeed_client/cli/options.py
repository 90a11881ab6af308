"""Options, arguments and the client, shared by the commands."""

from __future__ import annotations

import functools
import math
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from .printer import Printer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..client import WaveSpeed

P = ParamSpec("P")
T = TypeVar("T")

# Larger ones do not fit into an index.
COUNT = click.IntRange(1, 10**9)

SPANS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


def prints(function: Callable[Concatenate[Printer, P], T]) -> Callable[P, T]:
    """Give a command the option --json, and a printer as first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, errors included.")
    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> T:
        printer = click.get_current_context().find_object(Printer) or Printer()
        printer.json = bool(kwargs.pop("as_json"))
        return function(printer, *args, **kwargs)

    return command


@contextmanager
def connected(printer: Printer) -> Generator[WaveSpeed]:
    """Open a client with the environment's key. Its log messages go to the printer.

    Raises:
        ConfigurationError: There is no key, or a variable is wrong.
    """
    import logging
    import os

    from ..client import WaveSpeed
    from ..errors import ConfigurationError
    from ..settings import KEYS_URL
    from .messages import Messages

    if not os.environ.get("WAVESPEED_API_KEY", "").strip():
        raise ConfigurationError(f"No API key: set WAVESPEED_API_KEY. Create a key at {KEYS_URL}.")
    logger, messages = logging.getLogger("wavespeed_client"), Messages(printer)
    logger.addHandler(messages)
    try:
        with WaveSpeed() as ws:
            yield ws
    finally:
        logger.removeHandler(messages)


def amount_in(text: str) -> float:
    """Parse an amount of USD, with or without a dollar sign.

    Raises:
        BadParameter: It is not an amount.
    """
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise click.BadParameter(f"{text!r} is not an amount of USD such as 0.30.")
    return amount


def seconds_in(text: str) -> float:
    """Parse a duration, such as 90 (seconds), 10m or 2h, to seconds.

    Raises:
        BadParameter: It is not a duration.
    """
    seconds = span_in(text)
    if seconds is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 90 (seconds), 10m or 2h.")
    return seconds


def moment_in(text: str) -> datetime:
    """Parse a time: a date, a date with a time (local unless it has a time zone), or how long ago, such as 24h.

    Raises:
        BadParameter: It is not a time.
    """
    ago = None if text.isdecimal() else span_in(text)
    try:
        if ago is not None:
            return datetime.now(UTC) - timedelta(seconds=ago)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is not a time such as 24h (ago), 7d, 2026-01-31 or 2026-01-31T18:00."
        ) from None


def span_in(text: str) -> float | None:
    """Return a duration in seconds; None if the text is not a duration."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in SPANS else (text, "s")
    try:
        seconds = float(number) * SPANS[unit]
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None


model_argument = click.argument("model", metavar="MODEL")
fields_argument = click.argument("given", metavar="[NAME=VALUE]...", nargs=-1)
timeout_option = click.option(
    "--timeout",
    type=seconds_in,
    metavar="TIME",
    default="10m",
    show_default=True,
    help="The most time to wait, such as 90 (seconds) or 10m; 0 polls once.",
)
download_option = click.option(
    "--download",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Save the outputs to this folder, and print their paths.",
)
max_cost_option = click.option(
    "--max-cost", type=amount_in, metavar="USD", help="Do not submit a task that costs more, in USD."
)
