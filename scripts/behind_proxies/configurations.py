"""All configurations of servers between the client and the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from behind_proxies.origin import ANSWERED, BAD_GATEWAY, CLOSED, GATEWAY_TIMEOUT, HALF_BODY, HALF_HEAD, MARK, MARKED
from behind_proxies.servers import HAPROXY, NGINX, SERVERS, SQUID, Server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen
class Case:
    """A server, its configuration, and its load.

    Attributes:
        server: The server.
        title: What is special about the case.
        more: Additional lines of the server's configuration, by the names of their places in its file.
        fates: What the origin does with the submissions, in turn.
        delay: Seconds that the origin takes for a submission.
        submissions: Number for each client.
        timeout: The clients' `timeout`.
        pause: Seconds between rounds of submissions, varied by a few milliseconds; 0 for no rounds.
        reloads: Seconds between two reloads; 0 for none.
        many: Whether to use `run_many` instead of `submit`.
    """

    server: Server
    title: str
    more: Mapping[str, str] = field(factory=dict[str, str])
    fates: Sequence[str] = (ANSWERED,)
    delay: float = 0.0
    submissions: int = 120
    timeout: float = 30.0
    pause: float = 0.0
    reloads: float = 0.0
    many: bool = False

    @property
    def name(self) -> str:
        return f"{self.server.name}, {self.title}"


DEATHS = (ANSWERED, CLOSED, ANSWERED, HALF_HEAD, ANSWERED, HALF_BODY)
TROUBLE = (ANSWERED, BAD_GATEWAY, ANSWERED, GATEWAY_TIMEOUT, ANSWERED, CLOSED)
DENIED = (ANSWERED, MARKED)
RELOADED, IDLE, DENIES = "reloaded under load", "connections closed when idle for 250 ms", "denies every other response"
RATE = {
    "http": "map $request_method $submission { POST all; default ''; }"
    " limit_req_zone $submission zone=submissions:1m rate=60r/s;",
    "location": "limit_req zone=submissions burst=8 nodelay; limit_req_status 429;",
}
REWRITTEN = {"location": "proxy_intercept_errors on; error_page 502 504 =404 /gone.html;"}
# A server that failed stays in use. Never with non_idempotent: then nginx itself would submit twice.
NEXT_OFF = {"upstream": "server 127.0.0.1:@dying max_fails=0;", "location": "proxy_next_upstream off;"}
NEXT_ON = NEXT_OFF | {"location": "proxy_next_upstream error timeout;"}
DENY = {"frontend": f"http-response deny deny_status 403 if {{ res.hdr({MARK}) -m found }}"}
NO_REPLY = {"access": f"acl marked rep_header {MARK} .\nhttp_reply_access deny marked"}
SHORT_QUEUE = {"defaults": "timeout queue 300ms", "server": "maxconn 1"}
LONG_QUEUE = {"defaults": "timeout queue 30s", "server": "maxconn 1"}

CASES = (
    *(Case(server, "passes everything on", submissions=64, many=True) for server in SERVERS),
    *(Case(server, "the origin dies half-way", fates=DEATHS) for server in SERVERS),
    Case(NGINX, RELOADED, delay=0.1, submissions=160, reloads=0.2),
    Case(HAPROXY, RELOADED, delay=0.1, submissions=160, reloads=0.3),
    Case(SQUID, RELOADED, delay=0.1, submissions=160, reloads=0.5),
    Case(NGINX, IDLE, {"http": "keepalive_timeout 250ms;"}, submissions=96, pause=0.25),
    Case(HAPROXY, IDLE, {"defaults": "timeout http-keep-alive 250ms"}, submissions=96, pause=0.25),
    Case(HAPROXY, DENIES, DENY, DENIED),
    Case(SQUID, DENIES, NO_REPLY, DENIED),
    Case(NGINX, "three requests a connection", {"http": "keepalive_requests 3;"}),
    Case(NGINX, "502 and 504 rewritten as 404", REWRITTEN, TROUBLE),
    Case(NGINX, "60 submissions a second, then 429", RATE),
    Case(NGINX, "one of two origins dies, next off", NEXT_OFF),
    Case(NGINX, "one of two origins dies, next on", NEXT_ON),
    Case(HAPROXY, "a queue that gives up", SHORT_QUEUE, delay=0.02, submissions=72),
    Case(HAPROXY, "a queue longer than the timeout", LONG_QUEUE, delay=0.01, submissions=80, timeout=0.15, pause=0.15),
)
