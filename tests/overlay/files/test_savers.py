"""Many threads and processes that save into one folder at once, and one that is killed meanwhile."""

import io
import json
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Driven
from tests.overlay.files.conftest import Half
from tests.overlay.files.test_odd_hosts import in_folder
from wavespeed_client import Task, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("save", "download")

TASKS = 200

# Every process saves every task, and downloads every output into a second folder, with 8 threads.
SAVER = """
import asyncio, json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wavespeed_client import WaveSpeed

url, folder, ids = sys.argv[1], Path(sys.argv[2]), json.loads(sys.stdin.read())
with WaveSpeed("test-key", base_url=url) as ws, ThreadPoolExecutor(8) as threads:
    def fetch(id):
        task = ws.get(id)
        return [str(path) for path in ws.save(task, folder / "saved")], str(ws.download(task.urls[0], folder / "all"))

    print(json.dumps(list(threads.map(fetch, ids))))
"""


@pytest.mark.no_cover
def test_200_tasks_with_the_same_url_ending_leave_200_right_files(fake: FakeWaveSpeed, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    contents: dict[str, bytes] = {}
    with WaveSpeed(fake.api_key, base_url=fake.url) as ws:

        def finished(number: int) -> None:
            content = f"picture {number}".encode()
            model = f"a/model-{number}"
            fake.script(model, "completed", outputs=[ws.upload(io.BytesIO(content), filename="1.jpeg")])
            contents[ws.submit(model, {}).id] = content

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(finished, range(TASKS)))
    command = [sys.executable, "-c", SAVER, fake.url, str(tmp_path)]
    savers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(2) as threads:
        printed = list(threads.map(lambda saver: saver.communicate(json.dumps(list(contents))), savers))
    assert [(saver.returncode, errors) for saver, (_, errors) in zip(savers, printed, strict=True)] == [(0, "")] * 2
    saved = {f"{id}-1.jpeg": content for id, content in contents.items()}
    assert in_folder(tmp_path / "saved") == saved
    rows = [json.loads(output) for output, _ in printed]
    assert [[row[0] for row in each] for each in rows] == [[[str(tmp_path / "saved" / name)] for name in saved]] * 2
    # Downloads have no task id in their names, so each gets a new name.
    paths = [row[1] for each in rows for row in each]
    assert len(set(paths)) == 2 * TASKS
    everything = in_folder(tmp_path / "all")
    assert sorted(paths) == sorted(str(tmp_path / "all" / name) for name in everything)
    assert Counter(everything.values()) == Counter(dict.fromkeys(contents.values(), 2))
    assert {name.partition("-")[0] for name in everything} == {"1", "1.jpeg"}


KILLED = """
import sys
from wavespeed_client import Task, WaveSpeed

with WaveSpeed("test-key") as ws:
    task = Task(id="abc", model="a/b", status="completed", outputs=(sys.argv[1],))
    ws.save(task, sys.argv[2], on_progress=lambda done, total: print(done, flush=True))
"""


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_a_half_saved_file_has_no_name_and_is_saved_again(ws: Driven, half: Half, tmp_path: Path, by: int) -> None:
    command = [sys.executable, "-c", KILLED, half.url, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as killed:
        assert killed.stdout is not None
        while int(killed.stdout.readline()) < 10_000:
            pass
        killed.send_signal(by)
        half.rest.set() if by == signal.SIGINT else None
        assert killed.wait() != 0
    half.rest.set()
    left = in_folder(tmp_path)
    assert len(left.pop("abc-1.jpeg", bytes(100_000))) == 100_000  # Ctrl-C may have come too late for this one
    assert all(name.endswith(".part") for name in left)
    assert len(left) == (by == signal.SIGKILL)
    task = Task(id="abc", model="a/b", status="completed", outputs=(half.url,))
    assert [path.stat().st_size for path in ws.save(task, tmp_path)] == [100_000]
