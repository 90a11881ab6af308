"""The stand-in as a program of its own: `python -m wavespeed_client.testing --port 8080`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading

from ..errors import ConfigurationError


def main() -> int:
    """Serve until SIGINT or SIGTERM; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m wavespeed_client.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1; a free port without it")
    parser.add_argument("--api-key", default="test-key", help="the key that clients must send")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: ended.set())
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("wavespeed_client.testing").setLevel(logging.INFO)
    try:
        from . import FakeWaveSpeed

        fake = FakeWaveSpeed(arguments.api_key, port=arguments.port).start()
    except (ImportError, ConfigurationError) as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, OverflowError) as error:
        print(f"Cannot listen on port {arguments.port}: {error}", file=sys.stderr)
        return 1
    print(f"WAVESPEED_BASE_URL={fake.url}", f"WAVESPEED_API_KEY={fake.api_key}", sep="\n", flush=True)
    while not ended.wait(3600):  # a wait without end would not see the signal on Windows
        pass
    fake.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
