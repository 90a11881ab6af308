"""Search with schemathesis for responses of the stand-in that break the contract."""

import subprocess
import sys
import tempfile
from pathlib import Path

from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.testing.application import OWN_FAULT

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = 10  # for each operation and phase
SEED = 1


def main() -> int:
    with FakeWaveSpeed() as fake, tempfile.TemporaryDirectory() as folder:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            str(ROOT / "spec" / "openapi.yaml"),
            f"--url={fake.url}",
            f"--header=Authorization: Bearer {fake.api_key}",
            f"--max-examples={EXAMPLES}",
            f"--seed={SEED}",
            "--workers=2",
            "--generation-database=none",
            "--no-color",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        own = [violation for violation in fake.violations if violation.startswith(OWN_FAULT)]
        print(f"schemathesis: {len(fake.requests)} requests to the stand-in, exit code {done.returncode}")
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
    print(*own, sep="\n", end="\n" if own else "")
    return 1 if done.returncode or own else 0


if __name__ == "__main__":
    sys.exit(main())
