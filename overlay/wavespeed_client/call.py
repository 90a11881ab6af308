"""One verb's call: the deadline it gives to the transport chain, and the answer it gets back from it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from attrs import define

from .errors import InvalidInputError, WaveSpeedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .clock import Deadline


@define
class Call:
    """What travels between a verb and the chain, around the generated function between them.

    Attributes:
        deadline: No retry begins and no read lasts beyond it.
        leaving: Called just before the request leaves, and may refuse that with a ConfigurationError. A call
            that has one is tried once: who watches its departure says when it is tried again, too.
        answer: The JSON of the answer, untouched.
        unreadable: Makes the error for an answer that cannot be read; None until there is an answer.
    """

    deadline: Deadline | None
    leaving: Callable[[], object] | None = None
    answer: object = None
    unreadable: Callable[[Exception], WaveSpeedError] | None = None


_current: ContextVar[Call | None] = ContextVar("wavespeed_client_call", default=None)


def current_call() -> Call | None:
    """The call that this request is part of; None for a generated function used directly."""
    return _current.get()


@contextmanager
def calling(deadline: Deadline | None, leaving: Callable[[], object] | None = None) -> Generator[Call]:
    """Make one call. What the generated parser raises on an answer becomes one of our errors.

    Raises:
        UnexpectedResponseError: The answer is outside the contract.
        SubmissionUncertainError: The same, for a submission.
        InvalidInputError: There was no request, because httpx could not make one.
    """
    call = Call(deadline, leaving)
    token = _current.set(call)
    try:
        yield call
    except WaveSpeedError:
        raise
    except Exception as error:
        if call.unreadable is None:
            raise InvalidInputError(f"The request could not be made, nothing was sent: {error!r}") from error
        raise call.unreadable(error) from error
    finally:
        _current.reset(token)
