"""One submission's CPU, by every client, at several numbers of submissions under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from candidates import ASYNC, SYNC
from ratios import paired, ratio
from report import Section
from workers import measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ratios import Ratio
    from server import Server
    from workers import Samples


@frozen
class Load:
    """How many submissions are under way, and how much of that is measured.

    Attributes:
        concurrency: Submissions under way.
        calls: Submissions in a round.
        rounds: How often each client makes them.
        names: The clients.
        rest: Seconds to let pass before each client's turn.
    """

    concurrency: int
    calls: int
    rounds: int
    names: Sequence[str] = tuple(ASYNC)
    rest: float = 0.0


BARE = ("httpx", "httpx, unlimited")
OURS = ("ours", "ours, aiohttp")
# What others are compared to: the first one that is there. What pip installs with httpx lacks sniffio.
BASES = ("httpx without sniffio", "httpx", "aiohttp")
# Longer than httpx keeps a connection that idles. Its pool, asked for 1,000 at once, takes eight times the CPU when it
# has to connect: without a rest, what had its turn in between would decide which of the two is measured.
REST = 6.0
# httpx's pool walks over all that waits and all connections with each request: some are not asked this much of.
FULL = (
    Load(1, 200, 9),
    Load(16, 400, 7),
    Load(100, 800, 5),
    Load(1000, 1000, 3, (*BARE, "aiohttp", *OURS), REST),
    Load(10_000, 10_000, 3, ("aiohttp", "ours, aiohttp")),
)
QUICK = (
    Load(1, 60, 3),
    Load(100, 200, 3, (*BASES, *OURS)),
)


def one_by_one(server: Server, *, tls: bool, calls: int, rounds: int) -> Section:
    """The sync clients, one submission after another."""
    url = server.tls if tls else server.plain
    samples = measured("sync", SYNC, url, server, rounds=rounds, calls=calls)
    note = f"{rounds} rounds of {calls} submissions over one connection; the official client opens one for each."
    findings = {f"{name}{', TLS' if tls else ''}": found for name, found in _sync_findings(samples).items()}
    return _section(f"One submission, sync, {'TLS' if tls else 'plain'}", note, samples, findings)


def under_way(server: Server, load: Load) -> Section:
    """The async clients, with that many submissions under way."""
    url = server.plain if load.concurrency == 1 else server.delayed
    samples = measured(
        "async",
        load.names,
        url,
        server,
        rounds=load.rounds,
        calls=load.calls,
        concurrency=load.concurrency,
        rest=load.rest,
    )
    slow = "" if load.concurrency == 1 else ", which the server answers after 20 ms"
    rest = f", each after {load.rest:g} s without any" if load.rest else ""
    note = f"{load.rounds} rounds of {load.calls:,} submissions{slow}{rest}."
    findings = FINDINGS[load.concurrency](samples) if load.concurrency in FINDINGS else {}
    return _section(f"Submissions, async, {load.concurrency:,} under way", note, samples, findings)


def _sync_findings(samples: Samples) -> dict[str, float]:
    pairs = {
        "submit": ("ours", "httpx"),
        "submit to official": ("ours", "official"),
        "bare httpx to official": ("httpx", "official"),
    }
    return _medians(samples, pairs)


def _alone(samples: Samples) -> dict[str, float]:
    pairs = {
        "async submit": ("ours", "httpx without sniffio"),
        "to httpx with sniffio": ("ours", "httpx"),
        "async submit, aiohttp": ("ours, aiohttp", "httpx without sniffio"),
        "aiohttp, to httpx with sniffio": ("ours, aiohttp", "httpx"),
    }
    return _medians(samples, pairs)


def _medians(samples: Samples, pairs: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    return {
        finding: ratio(samples.cpu[name], samples.cpu[base]).median
        for finding, (name, base) in pairs.items()
        if {name, base} <= samples.cpu.keys()
    }


def _thousand(samples: Samples) -> dict[str, float]:
    bare = [samples.cpu[name] for name in BARE if name in samples.cpu]
    found: dict[str, float] = {}
    for name in OURS:
        if bare and name in samples.cpu:
            # The one of the two that does better is what there is to beat.
            found[f"1000 under way, {name}"] = max(ratio(samples.cpu[name], cpu).median for cpu in bare)
            found[f"1000 under way, {name}, errors"] = samples.errors.get(name, 0)
    return found


# What bars are judged by, at the numbers under way at which they are.
FINDINGS = {1: _alone, 1000: _thousand}


def _section(title: str, note: str, samples: Samples, findings: dict[str, float]) -> Section:
    base = next((name for name in BASES if name in samples.cpu), BASES[0])
    ratios = sorted(paired(samples.cpu, base).items(), key=lambda pair: pair[1].median)
    rows = [_row(name, found, samples) for name, found in ratios]
    rows += [(name, "not there", "", "") for name in samples.missing]
    reasons = "".join(f" {name}: {reason}." for name, reason in samples.missing.items())
    header = ("client", f"CPU to {base}", "CPU", "calls a second")
    return Section(title, note + reasons, header, rows, findings)


def _row(name: str, found: Ratio, samples: Samples) -> tuple[str, ...]:
    cpu, wall = (sorted(values)[len(values) // 2] for values in (samples.cpu[name], samples.wall[name]))
    errors = f" ({samples.errors[name]} errors)" if name in samples.errors else ""
    return (name + errors, str(found), f"{cpu * 1e6:.0f} us", f"{1 / wall:.0f}")
