"""Shell: what both clients are, whatever they await: shown without the key, closed for good, and never copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, Protocol, TypeVar

from .clock import Clock
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .settings import Settings


class Closable(Protocol):
    """What sends a client's requests."""

    @property
    def is_closed(self) -> bool: ...


H = TypeVar("H", bound=Closable)


class Shell(Generic[H]):
    """The base of the two clients.

    Attributes:
        settings: What this client was told.
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
