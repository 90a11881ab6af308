"""Shell: the base of both clients. They show no key, refuse work once closed, and cannot be copied."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar

from .clock import Clock
from .errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

# Packages whose frames do not help a caller: the message says what is refused, and why.
OURS = ("wavespeed_client", "wavespeed_api", "contextlib")

C = TypeVar("C", bound=type[Any])


def with_short_refusals(kind: C) -> C:
    """Shorten the tracebacks of wrong arguments to the public methods of a class.

    They end with the caller's own line, one frame of ours and the message.
    """
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
            setattr(kind, name, _short_async(method) if inspect.iscoroutinefunction(method) else _short(method))
    return kind


def _short(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (InvalidInputError, ConfigurationError) as error:
            _shorten(error)
            raise

    return call


def _short_async(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except (InvalidInputError, ConfigurationError) as error:
            _shorten(error)
            raise

    return call


def _shorten(error: Exception) -> None:
    """Drop the frames of an error, unless the caller's own code is among them, such as an `on_update`."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals["__name__"].partition(".")[0] not in OURS:
            return
        trace = trace.tb_next
    error.__traceback__ = None


class Closable(Protocol):
    """An HTTP client."""

    @property
    def is_closed(self) -> bool: ...


H = TypeVar("H", bound=Closable)


class Shell(Generic[H]):
    """The base of the two clients.

    Attributes:
        settings: The client's settings.
    """

    settings: Settings
    _clock = Clock()
    _http: H

    def _check_open(self) -> None:
        if self._http.is_closed:
            raise ConfigurationError("This client is closed: build a new one.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'settings', 'not built')})"

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("A client cannot be pickled or copied: build one in each process.")
