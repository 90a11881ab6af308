"""The package's log. A user's handler or filter that fails never affects a request."""

from __future__ import annotations

import logging
from contextlib import suppress

logger = logging.getLogger("wavespeed_client")
logger.addHandler(logging.NullHandler())


def log(level: int, message: str, *values: object) -> None:
    """Log a message with the caller's file and line."""
    with suppress(Exception):
        logger.log(level, message, *values, stacklevel=2)
