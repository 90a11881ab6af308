"""Every configuration: what the server is told, and what it is loaded with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

import haproxy
import nginx
import squid
from origin import ANSWERED, BAD_GATEWAY, CLOSED, GATEWAY_TIMEOUT, HALF_BODY, HALF_HEAD, MARKED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy import Places

# Of an origin that dies half-way, and of a gateway in trouble.
DEATHS = (ANSWERED, CLOSED, ANSWERED, HALF_HEAD, ANSWERED, HALF_BODY)
TROUBLE = (ANSWERED, BAD_GATEWAY, ANSWERED, GATEWAY_TIMEOUT, ANSWERED, CLOSED)


@frozen
class Configuration:
    """One way to stand between client and origin.

    Attributes:
        server: The server's name.
        title: What is peculiar to it.
        config: Makes the server's configuration file.
        fates: What becomes of the submissions, in turn.
        delay: Seconds that the origin takes for a submission.
        submissions: How many each client makes.
        quick: How many it makes in a quick run.
        timeout: The clients' `timeout`.
        pause: Seconds between rounds of submissions, or a little more or less; 0 for no rounds.
        reloads: Seconds between two reloads; 0 for none.
        many: Whether `run_many` submits, and not `submit`.
    """

    server: str
    title: str
    config: Callable[[Places], str]
    fates: Sequence[str] = (ANSWERED,)
    delay: float = 0.0
    submissions: int = 120
    quick: int = 24
    timeout: float = 30.0
    pause: float = 0.0
    reloads: float = 0.0
    many: bool = False


def reloaded(server: str, config: Callable[[Places], str], every: float) -> Configuration:
    return Configuration(server, "reloaded under load", config, delay=0.1, submissions=160, quick=64, reloads=every)


def idle(server: str, config: Callable[[Places], str]) -> Configuration:
    return Configuration(server, "connections closed when idle for 250 ms", config, pause=0.25, submissions=96)


CONFIGURATIONS = (
    Configuration("nginx", "passes everything on", nginx.nginx, submissions=64, many=True),
    idle("nginx", nginx.short_idle),
    Configuration("nginx", "three requests a connection", nginx.few_requests),
    reloaded("nginx", nginx.nginx, 0.2),
    Configuration("nginx", "the origin dies half-way", nginx.nginx, DEATHS),
    Configuration("nginx", "502 and 504 rewritten as 404", nginx.rewrites, TROUBLE),
    Configuration("nginx", "60 submissions a second, then 429", nginx.rate_limit),
    Configuration("nginx", "one of two origins dies, next off", partial(nginx.two_origins, again="off")),
    Configuration("nginx", "one of two origins dies, next on", partial(nginx.two_origins, again="error timeout")),
    Configuration("haproxy", "passes everything on", haproxy.haproxy, submissions=64, many=True),
    idle("haproxy", haproxy.short_idle),
    reloaded("haproxy", haproxy.haproxy, 0.3),
    Configuration("haproxy", "the origin dies half-way", haproxy.haproxy, DEATHS),
    Configuration("haproxy", "denies every other response", haproxy.denies, (ANSWERED, MARKED)),
    Configuration("haproxy", "a queue that gives up", haproxy.short_queue, delay=0.02, submissions=72),
    Configuration(
        "haproxy",
        "a queue longer than the client's timeout",
        haproxy.long_queue,
        delay=0.01,
        submissions=80,
        timeout=0.15,
        pause=0.15,
    ),
    Configuration("squid", "passes everything on", squid.squid, submissions=64, many=True),
    reloaded("squid", squid.squid, 0.5),
    Configuration("squid", "the origin dies half-way", squid.squid, DEATHS),
    Configuration("squid", "denies every other response", squid.denies, (ANSWERED, MARKED)),
)
