"""Run the command line: `python -m wavespeed_client` does the same as `wavespeed-client`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
