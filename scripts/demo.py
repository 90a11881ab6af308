"""Submit a task to a stand-in or, with --live, to the service; wait for it and print its outputs."""

import argparse
import sys
from contextlib import ExitStack

import demo_batch
from wavespeed_client import Task, WaveSpeed, WaveSpeedError
from wavespeed_client.testing import FakeWaveSpeed

MODEL = "wavespeed-ai/flux-dev"
INPUT = {"prompt": "A cat wearing a space suit"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", action="store_true", help="use the service: needs WAVESPEED_API_KEY, costs one task")
    parser.add_argument("--batch", action="store_true", help="kill a batch and run it again, on a temporary PostgreSQL")
    arguments = parser.parse_args()
    if arguments.batch:
        return demo_batch.main()
    live: bool = arguments.live
    with ExitStack() as stack:
        try:
            if live:
                client = WaveSpeed()
            else:
                fake = stack.enter_context(FakeWaveSpeed())
                client = WaveSpeed(fake.api_key, base_url=fake.url)
            ws = stack.enter_context(client)
            print(f"{ws.settings.base_url}: {MODEL} {INPUT}")
            task = ws.run(MODEL, INPUT, on_update=show)
        except WaveSpeedError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        print(task)
        for output in task.outputs:
            print(output)
    return 0


def show(task: Task) -> None:
    print(f"task {task.id}: {task.status}")


if __name__ == "__main__":
    sys.exit(main())
