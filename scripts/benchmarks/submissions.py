"""The CPU of a submission: by sync clients, plain and over TLS, and by async clients, one or 1,000 at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workers import Load, compare, measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.figures import Figure
    from benchmarks.server import Server

    Found = tuple[str, Figure]

BARE_ASYNC, WITHOUT_SNIFFIO = "async httpx", "async httpx without sniffio"
OURS_ASYNC, OURS_AIOHTTP = "async ours", "async ours, aiohttp"
# Longer than any of these clients keeps an idle connection for a submission.
REST = 6.0


def sync(url: str, server: Server, load: Load, suffix: str = "") -> Iterator[Found]:
    """Compare the sync clients. Each uses one connection; only the official client opens one per submission."""
    samples = measured(("ours", "httpx", "official"), url, server, load)
    yield f"submit{suffix}", compare(samples, "ours", "httpx")
    yield f"submit to official{suffix}", compare(samples, "ours", "official")
    yield f"bare httpx to official{suffix}", compare(samples, "httpx", "official")


def one_under_way(server: Server, load: Load) -> Iterator[Found]:
    """Compare the async clients with httpx without sniffio, because pip does not install sniffio with httpx."""
    samples = measured((OURS_ASYNC, OURS_AIOHTTP, BARE_ASYNC, WITHOUT_SNIFFIO), server.plain, server, load)
    yield "async submit", compare(samples, OURS_ASYNC, WITHOUT_SNIFFIO)
    yield "async submit, with sniffio", compare(samples, OURS_ASYNC, BARE_ASYNC)
    yield "async submit, aiohttp", compare(samples, OURS_AIOHTTP, WITHOUT_SNIFFIO)
    yield "aiohttp to default", compare(samples, OURS_AIOHTTP, OURS_ASYNC)


def thousand_under_way(server: Server, blocks: int) -> Iterator[Found]:
    """Compare bursts of submissions by new processes without an open connection, as when a program starts.

    httpx's pool assigns an idle connection to all waiting requests, so with one its burst would cost only a twentieth.
    """
    load = Load(blocks, rounds=1, calls=1000, concurrency=1000, rest=REST)
    samples = measured((OURS_ASYNC, OURS_AIOHTTP, BARE_ASYNC), server.delayed, server, load)
    yield "1000 under way", compare(samples, OURS_ASYNC, BARE_ASYNC)
    yield "1000 under way, aiohttp", compare(samples, OURS_AIOHTTP, BARE_ASYNC)


def submissions(server: Server, load: Load, bursts: int) -> dict[str, Figure]:
    return {
        **dict(sync(server.plain, server, load)),
        **dict(sync(server.tls, server, load, ", TLS")),
        **dict(one_under_way(server, load)),
        **dict(thousand_under_way(server, bursts)),
    }
