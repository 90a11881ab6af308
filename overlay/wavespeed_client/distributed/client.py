"""A client for one partition of a batch that many processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..async_client import AsyncWaveSpeed
from ..errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from typing import Any

    from ..batch.options import Options
    from ..batch.outcome import Outcome

# Errors that all further rows would raise, too.
STOPS = (APIConnectionError, AuthenticationError, ConfigurationError, PermissionDeniedError)


class PartitionClient(AsyncWaveSpeed):
    """An `AsyncWaveSpeed` with settings from the environment, for batches with given options."""

    def carry_out(self, options: Options, inputs: Sequence[dict[str, Any]]) -> AsyncGenerator[Outcome]:
        """Run a batch; yield its outcomes as they come."""
        return self._outcomes(options, inputs)


def ends_all(outcome: Outcome) -> bool:
    """Return whether an outcome's error affects all rows, such as an outage or a refused key.

    A "not found" without a task means an unknown model; with a task, that the service no longer has the task.
    """
    return isinstance(outcome.error, STOPS) or (isinstance(outcome.error, NotFoundError) and outcome.task is None)
