"""Count what this client submits behind nginx, haproxy and squid: run `scripts/proxies`."""
