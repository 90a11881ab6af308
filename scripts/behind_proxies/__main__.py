"""Put real servers between this client and a service on this machine that counts accepted submissions.

It uses nginx, haproxy and squid if they are installed, and installs nothing. The exit code is 1 if a submission was
doubled (accepted more than once), lost (accepted, but reported by the client neither as a task nor as uncertain) or got
the id of another task. It is 2 if a server did not start or a client reported nothing about an input.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING
from unittest.mock import patch

from behind_proxies.client import CLIENTS, Load, carry, environment
from behind_proxies.configurations import CASES, Case
from behind_proxies.counting import COLUMNS, DOUBLED, LOST, NOTHING, UNCERTAIN, WRONG, count
from behind_proxies.origin import Record, serving, settle
from behind_proxies.servers import SERVERS, StartError, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from behind_proxies.client import Input

# Seconds after which a client counts as stuck.
PATIENCE = 60.0
LONGEST = max(len(case.name) for case in CASES)


def main(arguments: Sequence[str] | None = None) -> int:
    names = [server.name for server in SERVERS]
    parser = argparse.ArgumentParser(prog="scripts/proxies", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="make a third of the submissions")
    # With `choices`, argparse of Python 3.11 refuses a call without servers.
    parser.add_argument("servers", nargs="*", metavar="server", help=f"use only these servers: {', '.join(names)}")
    given = parser.parse_args(arguments)
    if unknown := set(given.servers) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(names)}")
    servers = [server for server in SERVERS if server.name in (given.servers or names)]
    print(*(server.version() for server in servers), sep="\n")
    cases = [case for case in CASES if case.server in servers and case.server.program()]
    if not cases:
        return 0
    began, total, failures = time.monotonic(), Counter[str](), 0
    print(f"\n{row('configuration', 'client', COLUMNS)}", flush=True)
    with serving() as origin:
        for case in cases:
            try:
                total.update(measured(case, *origin, share=3 if given.quick else 1))
            except StartError as error:
                failures += 1
                print(f"{case.name}: {case.server.name} does not start: {error}", flush=True)
    wrong = ", ".join(f"{total[fault]} {fault}" for fault in (DOUBLED, LOST, WRONG))
    seconds = time.monotonic() - began
    print(f"\n{total['submitted']:,} submissions: {wrong}, {total[UNCERTAIN]:,} uncertain, in {seconds:.0f} s")
    if total[DOUBLED] or total[LOST] or total[WRONG]:
        return 1
    return 2 if failures or total[NOTHING] else 0  # something that was not measured is not a success


def measured(case: Case, record: Record, origin: int, dying: int, share: int) -> Counter[str]:
    """Let every client submit its share of a case's inputs, print the results, and return the sums."""
    with running(case.server, case.more, origin=origin, dying=dying) as (process, port):
        server = f"http://127.0.0.1:{port}"
        url, proxy = (f"http://127.0.0.1:{origin}", server) if case.server.forward else (server, "")
        loads = {client: Load(case, url, inputs_of(case, client, share)) for client in CLIENTS}
        with patch.dict(os.environ, environment(proxy), clear=True):
            asyncio.run(carried(loads, case.reloads, lambda: process.send_signal(case.server.reload)))
        settle(record)
    total = Counter[str]()
    for client, load in loads.items():
        figures, faults = count((given["tag"] for given in load.inputs), load.said, record)
        total.update(figures)
        print(row(case.name, client, [str(figures[column]) for column in COLUMNS]), flush=True)
        for fault, (told, *_) in faults.items():
            words = " ".join((told.word, *told.ids, told.error)).rstrip()
            print(f"    {fault}: input {told.tag.rpartition(' ')[2]}, of which the client said: {words}")
    return total


def inputs_of(case: Case, client: str, share: int) -> list[Input]:
    """Return a client's share of a case's inputs, each with a unique tag."""
    return [
        {"tag": f"{case.name}, {client}, {number}", "fate": case.fates[number % len(case.fates)], "delay": case.delay}
        for number in range(case.submissions // share)
    ]


async def carried(loads: Mapping[str, Load], every: float, meanwhile: Callable[[], object]) -> None:
    """Let the clients submit their loads at the same time, and call `meanwhile` at its interval, if any."""
    tasks = [asyncio.create_task(carry(client, load)) for client, load in loads.items()]
    end = time.monotonic() + PATIENCE
    while (await asyncio.wait(tasks, timeout=every or PATIENCE))[1] and time.monotonic() < end:
        meanwhile()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # what a client did not report is counted


def row(case: str, client: str, cells: Sequence[str]) -> str:
    figures = (cell.rjust(len(column)) for cell, column in zip(cells, COLUMNS, strict=True))
    return "  ".join((case.ljust(LONGEST), client.ljust(max(map(len, CLIENTS))), *figures))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # also ends all its children
    sys.exit(main())
