"""The command line `wavespeed-client`. Needs the extra `wavespeed-client[cli]`.

program     the group of commands, and how a command ends
commands/   one command a file, imported when called
printer     results on stdout, everything else on stderr, as text or JSON
escapes     no control characters on a terminal
exits       exit codes, and errors as JSON
fields      NAME=VALUE, typed by the model's schema
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "wavespeed-client"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Args:
        arguments: The arguments; by default those of the process.
    """
    try:
        from .program import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write("The command line needs the extra cli: pip install 'wavespeed-client[cli]'\n")
        return 2
    return run(sys.argv[1:] if arguments is None else list(arguments))
