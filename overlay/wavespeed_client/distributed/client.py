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

# Errors that each further row would meet, too.
STOPS = (APIConnectionError, AuthenticationError, ConfigurationError, PermissionDeniedError)


class PartitionClient(AsyncWaveSpeed):
    """An `AsyncWaveSpeed` with the settings of the environment, which carries out batches with options of their own."""

    def carry_out(self, options: Options, inputs: Sequence[dict[str, Any]]) -> AsyncGenerator[Outcome]:
        """Carry out a batch; yield outcomes as inputs get theirs."""
        return self._outcomes(options, inputs)


def ends_all(outcome: Outcome) -> bool:
    """Tell whether an outcome is no matter of its row: an outage, or something that is wrong with the account.

    A model that the service does not know is told before there is a task; later the task is not there any more.
    """
    return isinstance(outcome.error, STOPS) or (isinstance(outcome.error, NotFoundError) and outcome.task is None)
