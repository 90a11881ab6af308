"""Configurations of nginx."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy import Places


def nginx(at: Places, *, http: str = "", location: str = "", upstream: str = "") -> str:
    """Return a configuration that passes everything on over kept connections.

    Args:
        at: Where everything is.
        http: More lines of the block `http`.
        location: More lines of the block `location /`.
        upstream: The lines of the block `upstream`; the origin alone if there are none.
    """
    # As root, nginx would give its workers to an account that cannot enter this folder.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n    ".join(f"{kind}_temp_path {at.folder}/{kind};" for kind in kinds)
    return f"""{user}
worker_processes 2;
pid {at.folder}/pid;
error_log {at.folder}/log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    {folders}
    {http}
    upstream origin {{
        {upstream or f"server 127.0.0.1:{at.origin};"}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{at.port};
        location = /gone.html {{
            internal;
            default_type text/html;
            return 200 "<html>Gone.</html>";
        }}
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            {location}
        }}
    }}
}}
"""


def short_idle(at: Places) -> str:
    """Close connections that were idle for a quarter of a second."""
    return nginx(at, http="keepalive_timeout 250ms;")


def few_requests(at: Places) -> str:
    """Close each connection after three requests."""
    return nginx(at, http="keepalive_requests 3;")


def rewrites(at: Places) -> str:
    """Turn the gateway's own errors into a page that was not found."""
    return nginx(at, location="proxy_intercept_errors on; error_page 502 504 =404 /gone.html;")


def rate_limit(at: Places) -> str:
    """Refuse submissions beyond 60 a second with 429."""
    key = 'map $request_method $submission { POST all; default ""; }'
    zone = "limit_req_zone $submission zone=submissions:1m rate=60r/s;"
    return nginx(at, http=f"{key} {zone}", location="limit_req zone=submissions burst=8 nodelay; limit_req_status 429;")


def two_origins(at: Places, again: str) -> str:
    """Share requests out between an origin that dies and one that answers.

    Args:
        at: Where everything is.
        again: When nginx goes on to the next one. Never non_idempotent: then nginx itself pays twice.
    """
    # A server that failed stays in use.
    servers = "\n".join(f"        server 127.0.0.1:{port} max_fails=0;" for port in (at.dying, at.origin))
    return nginx(at, upstream=servers.strip(), location=f"proxy_next_upstream {again};")
