"""The command line: `python -m wavespeed_client` is `wavespeed-client`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
