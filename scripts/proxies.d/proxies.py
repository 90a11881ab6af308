"""Put real servers between this client and a service on this machine that counts what it takes.

It uses those of nginx, haproxy and squid that are installed, and installs nothing. For every configuration and kind of
client it tells how many submissions were made, and what became of them. It fails if any was doubled (taken more than
once), lost (taken, though the client calls it neither a task nor uncertain) or was told the id of another's task.
Its exit code is 1 then, and 2 if a server did not start or a client gave no word of an input.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from configurations import CONFIGURATIONS, Configuration
from counting import UNCERTAIN, WORDS, Count, count
from load import CLIENTS, Load, carried
from origin import Origin, serving
from proxy import SERVERS, Places, Server, StartError, free_port, reload, running, version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counting import Told

COLUMNS = (
    ("configuration", max(len(f"{each.server}, {each.title}") for each in CONFIGURATIONS)),
    ("client", max(map(len, CLIENTS))),
    ("submitted", 9),
    ("taken", 5),
    ("tasks", 5),
    ("uncertain", 9),
    ("refused or unsent", 17),
    ("no word", 7),
    ("doubled", 7),
    ("lost", 4),
    ("wrong ids", 9),
)
# Columns of text, which are aligned to the left.
TEXTS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    names = [server.name for server in SERVERS]
    parser = argparse.ArgumentParser(prog="scripts/proxies", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer submissions")
    parser.add_argument("servers", nargs="*", metavar="server", help=f"only these: {', '.join(names)}")
    given = parser.parse_args(arguments)
    if unknown := set(given.servers) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(names)}")
    programs = found(given.servers or names)
    if not programs:
        return 0
    began = time.monotonic()
    with serving() as origin:
        counts, failures = run(programs, origin, quick=given.quick)
    print(f"\n{summary(counts)}, in {time.monotonic() - began:.0f} s")
    if not all(each.good for each in counts):
        return 1
    # What was not measured is no success.
    return 2 if failures or any(each.silent for each in counts) else 0


def found(names: Sequence[str]) -> dict[str, str]:
    """Find the programs of these servers, and say of each whether it is there."""
    programs: dict[str, str] = {}
    for server in SERVERS:
        if server.name not in names:
            continue
        if program := server.program():
            programs[server.name] = program
            print(f"{server.name}: {version(program)}")
        else:
            print(f"{server.name} is not installed: its configurations are left out")
    return programs


def run(programs: dict[str, str], origin: Origin, *, quick: bool) -> tuple[list[Count], int]:
    """Print a row for every configuration and client. Return the counts, and how many servers did not start."""
    counts: list[Count] = []
    failures = 0
    print("", line([title for title, _ in COLUMNS]), line(["-" * width for _, width in COLUMNS]), sep="\n", flush=True)
    for configuration in CONFIGURATIONS:
        if program := programs.get(configuration.server):
            try:
                counts += measured(configuration, program, origin, quick=quick)
            except StartError as error:
                failures += 1
                print(f"{name(configuration)}: {configuration.server} does not start: {error}", flush=True)
    return counts, failures


def measured(configuration: Configuration, program: str, origin: Origin, *, quick: bool) -> list[Count]:
    """Let every client carry a configuration's load, print what became of it, and return it."""
    server = next(server for server in SERVERS if server.name == configuration.server)
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        folder.chmod(0o755)  # a server that gives up the rights of root has to enter it, too
        places = Places(folder, free_port(), origin.port, origin.dying)
        loads = [load_of(configuration, client, server, places, quick=quick) for client in CLIENTS]
        with running(server, program, configuration.config(places), places) as process:
            if configuration.reloads:
                again = partial(reload, process, server)
                said = carried(loads, folder, every=configuration.reloads, meanwhile=again)
            else:
                said = carried(loads, folder)
            record = origin.settled()
    counts = [count(load.tags, told, record) for load, told in zip(loads, said, strict=True)]
    for client, each in zip(CLIENTS, counts, strict=True):
        show(configuration, client, each)
    return counts


def load_of(configuration: Configuration, client: str, server: Server, places: Places, *, quick: bool) -> Load:
    """Return what a client is to do with a configuration."""
    fates, prefix = configuration.fates, f"{configuration.server}, {configuration.title}, {client}"
    inputs = [
        {"tag": f"{prefix}, {number}", "fate": fates[number % len(fates)], "delay": configuration.delay}
        for number in range(configuration.quick if quick else configuration.submissions)
    ]
    proxy = f"http://127.0.0.1:{places.port}"
    return Load(
        CLIENTS[client],
        f"http://127.0.0.1:{places.origin}" if server.forward else proxy,
        proxy if server.forward else "",
        inputs,
        configuration.timeout,
        configuration.pause,
        configuration.many,
    )


def name(configuration: Configuration) -> str:
    return f"{configuration.server}, {configuration.title}"


def show(configuration: Configuration, client: str, each: Count) -> None:
    """Print a row, and below it an example of whatever went wrong."""
    figures = [each.submissions, each.taken, *(each.words[word] for word in WORDS), *map(len, wrongs(each))]
    print(line([name(configuration), client, *map(str, figures)]), flush=True)
    for what, examples in zip(("doubled", "lost", "wrong id", "no word"), (*wrongs(each), each.silent), strict=True):
        for told in examples[:1]:
            said = " ".join((told.word, *told.ids, told.error)).rstrip()
            print(f"    {what}: input {told.tag.rpartition(' ')[2]}, of which the client said: {said}")


def line(cells: Sequence[str]) -> str:
    """Return a line of the table."""
    return "  ".join(
        cell.rjust(width) if number >= TEXTS else cell.ljust(width)
        for number, (cell, (_, width)) in enumerate(zip(cells, COLUMNS, strict=True))
    )


def summary(counts: Sequence[Count]) -> str:
    """Add everything up."""
    submissions, uncertain = sum(each.submissions for each in counts), sum(each.words[UNCERTAIN] for each in counts)
    doubled, lost, wrong = (sum(len(wrongs(each)[part]) for each in counts) for part in range(3))
    return f"{submissions:,} submissions: {doubled} doubled, {lost} lost, {wrong} wrong ids, {uncertain:,} uncertain"


def wrongs(each: Count) -> tuple[Sequence[Told], ...]:
    return each.doubled, each.lost, each.wrong


def stop(number: int, frame: object) -> NoReturn:
    """End with everything that was started."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
