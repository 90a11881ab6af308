"""The package's log. A handler or filter of the user's may fail, and that never decides what became of a request."""

from __future__ import annotations

import logging
from contextlib import suppress

logger = logging.getLogger("wavespeed_client")
logger.addHandler(logging.NullHandler())


def log(level: int, message: str, *values: object) -> None:
    """Log a message in the name of the caller."""
    with suppress(Exception):
        logger.log(level, message, *values, stacklevel=2)
