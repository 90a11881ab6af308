"""The program: its commands, and how a command ends."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from .. import __version__
from ..media.streams import let_go
from . import NAME
from .groups import LazyGroup
from .printer import Printer

COMMANDS = {
    "run": "Submit a task, wait for it and print its outputs.",
    "submit": "Submit a task and print its id.",
    "wait": "Wait for a task and print its outputs.",
    "get": "Show the status of a task.",
    "list": "List the tasks of the last 7 days.",
    "models": "List or search models.",
    "inputs": "Show the input fields of a model.",
    "price": "Show the price of a task.",
    "balance": "Show the account's balance.",
    "usage": "Show usage by model and by day.",
    "billings": "List charges and refunds.",
    "upload": "Upload files and print their URLs.",
    "download": "Download the outputs of tasks, or URLs.",
    "batch": "Run many inputs from a file, within a budget.",
    "report": "Write a contact sheet of a batch's journal.",
    "types": "Write Python types for models' inputs.",
    "webhook": "Receive or verify webhooks.",
    "completion": "Print a shell completion script.",
}

EPILOG = """\b
Examples:
  $ wavespeed-client models video
  $ wavespeed-client inputs wavespeed-ai/flux-dev
  $ wavespeed-client run wavespeed-ai/flux-dev prompt="A red bicycle" --download out/

The API key is read only from the environment variable WAVESPEED_API_KEY.

\b
Exit codes: 0 success, 1 error, 2 usage or configuration, 3 task failed, 4 timed out,
5 too expensive, 6 uncertain whether a task was started, 130 interrupted."""

program = LazyGroup(
    NAME,
    home=f"{__package__}.commands",
    summaries=COMMANDS,
    help="Use WaveSpeedAI's models. The price is shown before anything is paid.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[],
)
program = click.version_option(__version__, prog_name=NAME)(program)


def run(arguments: list[str]) -> int:
    """Run the program; return the exit code."""
    # A stream that was closed before the program began is None.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not a replacement by the calling program
            stream.reconfigure(errors="backslashreplace")
    printer = Printer(json="--json" in arguments)
    try:
        return int(program.main(arguments, NAME, standalone_mode=False, obj=printer) or 0)
    except click.exceptions.Abort:
        return _interrupted(printer)
    except click.ClickException as error:
        return _misused(printer, error)
    except BrokenPipeError:
        return 1
    except Exception as error:
        return _failed(printer, error)
    finally:
        let_go(sys.stdout)
        let_go(sys.stderr)


def _nowhere(mode: str = "w") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(os.devnull, mode), encoding="utf-8")


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
    else:  # a bug in this program
        import traceback

        text = "".join(traceback.format_exception(error)).rstrip("\n")
    _last_word(printer, {"error": error_record(error)}, text)
    return exit_code(error)


def _last_word(printer: Printer, record: dict[str, Any], text: str) -> None:
    if not printer.json:
        printer.message(text)
        return
    try:
        printer.result(record, ())
    except BrokenPipeError:
        pass
    except OSError:  # such as a full disk
        printer.message(text)
