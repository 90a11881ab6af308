"""Standard streams, and what happens to them when they cannot be written."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def let_go(stream: TextIO) -> None:
    """Flush a stream. Redirect it to the null device if that fails, such as when the reader of a pipe has left.

    Otherwise Python would try again at exit, report that, and exit with code 120.
    """
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # a replacement by the calling program
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
