"""The options of a call for the transport, and the exchange that carries it out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from ..clock import Deadline
    from .exchange import Exchange

EXTENSION = "wavespeed_client"


@define(eq=False)
class Context:
    """One call: its options, and the exchange that carries it out.

    Attributes:
        deadline: No retry begins and no read lasts beyond it. A submission that has been sent is never cut short.
        tries: The most times that the request may be sent; None for the number in the settings.
        departure: Called before each try is sent. An async call awaits the result if it is awaitable. It may raise a
            ConfigurationError to stop the request, or return a Deadline, after which the request must not be sent.
        body: The JSON of the request, if it was encoded before.
        exchange: The request with its tries and response; None until the request is made.
    """

    deadline: Deadline | None = None
    tries: int | None = None
    departure: Callable[[], object] | None = None
    body: bytes | None = field(default=None, repr=False)
    exchange: Exchange | None = field(init=False, default=None, repr=False)

    @classmethod
    def of(cls, request: httpx.Request) -> Context:
        """Return the request's context; one without options if the request has none."""
        context = request.extensions.get(EXTENSION)
        return context if isinstance(context, Context) else cls()

    def seconds_left(self) -> float:
        """Return the seconds until the deadline; infinite without one."""
        return self.deadline.left() if self.deadline else math.inf

    @property
    def date(self) -> str | None:
        """The service's time, from the response's `Date`; None without one."""
        response = self.exchange.response if self.exchange else None
        return response.headers.get("Date") if response else None

    @property
    def data(self) -> object:
        """The data in the response's envelope; None until there is a response."""
        response = self.exchange.response if self.exchange else None
        return response.data if response else None
