"""The command line `wavespeed-client`: the extra `wavespeed-client[cli]`.

program     the group of commands, which are loaded when they are called; how each one ends
commands/   one command a file
printer     stdout for results, stderr for all else, as text or as JSON
escapes     what of a text a terminal may be shown
exits       errors as exit codes, and in JSON
fields      NAME=VALUE, typed by the model's schema
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "wavespeed-client"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line, that of the process by default, and return the exit code."""
    try:
        from .program import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write("The command line needs the extra cli: pip install 'wavespeed-client[cli]'\n")
        return 2
    return run(sys.argv[1:] if arguments is None else list(arguments))
