"""The options of a call for the transport, and the exchange that carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Deadline
    from .exchange import Exchange

# The extension of a request that holds the context of its call; once it is under way, its exchange.
EXTENSION = "wavespeed_client"


@define(eq=False)
class Context:
    """One call: its options, and the exchange that carries it out.

    Attributes:
        deadline: No retry begins and no read lasts beyond it. A submission that has been sent is never cut short.
        tries: The most times that the request may be sent; None for the number in the settings.
        departure: Called before each attempt is sent. An async call awaits the result if it is awaitable. It may raise
            a ConfigurationError to stop the request, or return a Deadline, after which the request must not be sent.
        body: The JSON of the request, if it was encoded before.
        exchange: The request with its attempts and response; None until the request is made.
    """

    deadline: Deadline | None = None
    tries: int | None = None
    departure: Callable[[], object] | None = None
    body: bytes | None = field(default=None, repr=False)
    exchange: Exchange | None = field(init=False, default=None, repr=False)

    @property
    def date(self) -> str | None:
        """The service's time, from the response's `Date`; None without one."""
        response = self.exchange.response if self.exchange else None
        return response.headers.get("Date") if response else None
