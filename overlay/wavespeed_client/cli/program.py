"""The program: its commands, and how each one ends."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import Any

import click

from .. import __version__
from . import NAME
from .groups import LazyGroup
from .printer import Printer

COMMANDS = {
    "run": "Submit a task, wait for it and print its outputs.",
    "submit": "Submit a task and print its id.",
    "wait": "Wait for a task and print its outputs.",
    "get": "Show how a task stands.",
    "list": "List the tasks of the last 7 days.",
    "models": "List or search the models.",
    "inputs": "Show what a model takes.",
    "price": "Ask what a task would cost.",
    "balance": "Show the account's balance.",
    "usage": "Show what was used, by model and by day.",
    "billings": "List charges and refunds.",
    "upload": "Upload files and print their URLs.",
    "download": "Download the outputs of tasks, or URLs.",
    "batch": "Run many inputs from a file, within a budget.",
    "report": "Make a contact sheet of a batch's journal.",
    "types": "Write Python types for the inputs of models.",
    "webhook": "Receive or check the service's calls.",
    "completion": "Print the completion script of a shell.",
}

EPILOG = """\b
Examples:
  $ wavespeed-client models video
  $ wavespeed-client inputs wavespeed-ai/flux-dev
  $ wavespeed-client run wavespeed-ai/flux-dev prompt="A red bicycle" --download out/

The key is read from the environment variable WAVESPEED_API_KEY, and from nowhere else.

\b
Exit codes: 0 done, 1 error, 2 usage or configuration, 3 task failed, 4 timed out,
5 too dear, 6 uncertain whether a task was started, 130 interrupted."""

program = LazyGroup(
    NAME,
    home=f"{__package__}.commands",
    summaries=COMMANDS,
    help="Use WaveSpeedAI's models. Nothing is paid for before its price was shown.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[],
)
program = click.version_option(__version__, prog_name=NAME)(program)


def run(arguments: list[str]) -> int:
    """Carry out a command line, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # one that a program put in its place is left alone
            stream.reconfigure(errors="backslashreplace")
    printer = Printer(json="--json" in arguments)
    try:
        return int(program.main(arguments, NAME, standalone_mode=False, obj=printer) or 0)
    except click.exceptions.Abort:
        return _interrupted(printer)
    except click.ClickException as error:
        return _misused(printer, error)
    except BrokenPipeError:
        return _unread()
    except Exception as error:
        return _failed(printer, error)


def _interrupted(printer: Printer) -> int:
    record = {"error": {"type": "Interrupted", "message": "Interrupted.", "exit_code": 130}}
    _last_word(printer, record, "Interrupted.")
    return 130


def _misused(printer: Printer, error: click.ClickException) -> int:
    code = error.exit_code
    record = {"error": {"type": type(error).__name__, "message": error.format_message(), "exit_code": code}}
    shown = io.StringIO()
    error.show(shown)
    _last_word(printer, record, shown.getvalue().rstrip("\n"))
    return code


def _failed(printer: Printer, error: Exception) -> int:
    from ..errors import WaveSpeedError
    from .exits import advice, error_record, exit_code, message_of

    if isinstance(error, WaveSpeedError | OSError):
        text = "\n".join([f"Error: {message_of(error)}", *advice(error)])
    else:  # a fault of this program: the whole of it is of use, fit for a terminal
        import traceback

        text = "".join(traceback.format_exception(error)).rstrip("\n")
    _last_word(printer, {"error": error_record(error)}, text)
    return exit_code(error)


def _last_word(printer: Printer, record: dict[str, Any], text: str) -> None:
    if printer.json:
        with suppress(BrokenPipeError):
            printer.result(record, ())
    else:
        printer.tell(text)


def _unread() -> int:
    """Let nothing more be written to a pipe that nobody reads, lest Python complains of that at its end."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
