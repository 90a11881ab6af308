"""Run a local stand-in for WaveSpeedAI's API: python -m wavespeed_client.testing --port 8080

Control it over HTTP under /_stand-in/. Open that path in a browser to see the requests.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from ..errors import WaveSpeedError

if TYPE_CHECKING:
    from .fake import FakeWaveSpeed


class OneLineParser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}. See python -m wavespeed_client.testing --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    options = OneLineParser(
        prog="python -m wavespeed_client.testing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    add("--port", type=int, default=0, help="port to listen on (default: a free one)")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    allowed = "host name that other machines may use for /_stand-in/, such as a compose service's; may be repeated"
    add("--allow-host", action="append", default=[], metavar="NAME", help=allowed)
    add("--api-key", default="test-key", help="key that clients must send")
    add("--webhook-secret", default="whsec_test-secret", help="secret that signs webhooks")
    script = "statuses of new tasks of a model, such as wavespeed-ai/flux-dev=created,completed"
    add("--script", action="append", default=[], metavar="MODEL=STATUS,...", help=script)
    add("--fail", action="append", default=[], metavar="MODEL=ERROR", help="let new tasks of a model fail")
    refuse = "refuse one submission with this HTTP status; may be repeated"
    add("--refuse", action="append", default=[], type=int, metavar="STATUS", help=refuse)
    lock = "lock of python -m wavespeed_client.typed: check inputs of its models; may be repeated"
    add("--load", action="append", default=[], metavar="LOCK", help=lock)
    add("--only", action="store_true", help="with --load: refuse all other models")
    add("--delay", type=float, default=0.0, metavar="SECONDS", help="delay every response")
    return options


def arrange(fake: FakeWaveSpeed, options: argparse.Namespace) -> None:
    """Apply the options to a stand-in.

    Raises:
        ValueError: The value of an option is wrong.
    """
    if options.only and not options.load:
        raise ValueError("--only needs --load.")
    for lock in options.load:
        fake.load(lock, options.only)
    for given in options.script:
        model, _, statuses = given.partition("=")
        fake.script(model, *statuses.split(","))
    for given in options.fail:
        model, _, error = given.partition("=")
        fake.fail(model, error=error or "Failed.")
    for status in options.refuse:
        fake.refuse(status)
    fake.delay(options.delay)


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    options = parser().parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: ended.set())
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("wavespeed_client.testing").setLevel(logging.INFO)
    try:
        from . import FakeWaveSpeed

        fake = FakeWaveSpeed(
            options.api_key,
            port=options.port,
            host=options.host,
            allow_hosts=options.allow_host,
            webhook_secret=options.webhook_secret,
        )
        arrange(fake, options)
        fake.start()
    except OSError as error:
        sys.exit(f"Cannot listen on port {options.port} of {options.host}: {error}")
    except (ImportError, ValueError, WaveSpeedError) as error:
        sys.exit(str(error))
    print(f"WAVESPEED_BASE_URL={fake.url}", f"WAVESPEED_API_KEY={fake.api_key}", sep="\n", flush=True)
    while not ended.wait(3600):  # on Windows, an endless wait would not see the signal
        pass
    fake.stop()


if __name__ == "__main__":
    main()
