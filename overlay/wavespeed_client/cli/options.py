"""What several commands take: options and arguments, and the client that they ask with."""

from __future__ import annotations

import functools
import math
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from .printer import Printer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..client import WaveSpeed

P = ParamSpec("P")
T = TypeVar("T")

Function = TypeVar("Function", bound="Callable[..., Any]")

SPANS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


def prints(function: Callable[Concatenate[Printer, P], T]) -> Callable[P, T]:
    """Give a command the option --json, and a printer as its first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, errors included.")
    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> T:
        printer = click.get_current_context().find_object(Printer) or Printer()
        printer.json = bool(kwargs.pop("as_json"))
        return function(printer, *args, **kwargs)

    return command


@contextmanager
def connected(printer: Printer) -> Generator[WaveSpeed]:
    """Open a client for the environment's account, whose log messages go through the printer.

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
        raise ConfigurationError(f"No API key: set WAVESPEED_API_KEY. Make a key at {KEYS_URL}.")
    logger, messages = logging.getLogger("wavespeed_client"), Messages(printer)
    logger.addHandler(messages)
    try:
        with WaveSpeed() as ws:
            yield ws
    finally:
        logger.removeHandler(messages)


def amount_in(text: str) -> float:
    """Read an amount of USD, with or without a dollar sign.

    Raises:
        BadParameter: It is none.
    """
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise click.BadParameter(f"{text!r} is no amount of USD, such as 0.30.")
    return amount


def seconds_in(text: str) -> float:
    """Read a time span: seconds, or a number with a unit such as 10m.

    Raises:
        BadParameter: It is none.
    """
    seconds = span_in(text)
    if seconds is None:
        raise click.BadParameter(f"{text!r} is no time span, such as 90, 10m or 2h.")
    return seconds


def moment_in(text: str) -> datetime:
    """Read a moment: a day or a time, in this machine's time zone where it names none, or how long ago.

    Raises:
        BadParameter: It is none.
    """
    ago = None if text.isdecimal() else span_in(text)
    try:
        if ago is not None:
            return datetime.now(UTC) - timedelta(seconds=ago)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is no time, such as 24h, 7d, 2026-01-31 or 2026-01-31T18:00.") from None


def span_in(text: str) -> float | None:
    """Return the seconds of a time span; None if it is none."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in SPANS else (text, "s")
    try:
        seconds = float(number) * SPANS[unit]
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None


def model_argument(function: Function) -> Function:
    """Take a model's id."""
    return click.argument("model", metavar="MODEL")(function)


def fields_argument(function: Function) -> Function:
    """Take the fields of an input."""
    return click.argument("given", metavar="[NAME=VALUE]...", nargs=-1)(function)


def timeout_option(function: Function) -> Function:
    """Take how long to wait."""
    text = "Wait at most so long, in seconds or as 10m; 0 asks once."
    return click.option("--timeout", type=seconds_in, metavar="TIME", default="10m", show_default=True, help=text)(
        function
    )


def download_option(function: Function) -> Function:
    """Take a folder for outputs."""
    kind, text = click.Path(file_okay=False, path_type=Path), "Save the outputs there, and print their paths."
    return click.option("--download", "folder", type=kind, metavar="DIR", help=text)(function)


def max_cost_option(function: Function) -> Function:
    """Take the most that a task may cost."""
    text = "Submit nothing that costs more, in USD."
    return click.option("--max-cost", type=amount_in, metavar="USD", help=text)(function)
