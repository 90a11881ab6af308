"""The wheel: what it contains, and what a user's new environment gets from it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import wavespeed_client
from tests.conftest import ROOT
from tests.overlay.typed.page import FLUX
from tests.scripts.clean import Environments, run
from tests.scripts.test_pages import PROGRAMS
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.typed.render import render

DIST_INFO = f"wavespeed_client-{wavespeed_client.__version__}.dist-info"

# What a user may rely on; each type is the one that a type checker shows.
USER_PROGRAM = """
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

from wavespeed_api import Client
from wavespeed_api.api.tasks import get_result
from wavespeed_api.models import PredictionEnvelope
from wavespeed_client import APIError, AsyncWaveSpeed, Billing, Model, Price, SubmissionUncertainError, Task, TaskError
from wavespeed_client import TaskInput, UsageStats, WaveSpeed, WaveSpeedError, Webhook


def show(task: Task) -> None:
    print(task.status)


def generate() -> None:
    with WaveSpeed("key", base_url="https://example.com", timeout=5, max_retries=0) as ws:
        assert_type(ws, WaveSpeed)
        assert_type(ws.api, Client)
        try:
            task = ws.run("wavespeed-ai/flux-dev", {"prompt": "a cat"}, timeout=None, on_update=show)
        except SubmissionUncertainError as error:
            assert_type(error.submitted_at, datetime)
        except APIError as error:
            assert_type(error.status_code, int)
            assert_type(error.retry_after, float | None)
        except TaskError as error:
            assert_type(error.task, Task)
        else:
            assert_type(task, Task)
            assert_type(task.outputs, tuple[str | dict[str, Any], ...])
            assert_type(task.created_at, datetime | None)
        assert_type(ws.submit("wavespeed-ai/flux-dev", TaskInput(prompt="a cat"), webhook="https://e.com"), Task)
        assert_type(ws.wait(ws.get("task-1")), Task)
        response = get_result.sync_detailed("task-1", client=ws.api)
        if isinstance(response.parsed, PredictionEnvelope):
            assert_type(response.parsed.data.id, str)


def account(ws: WaveSpeed, start: datetime, end: datetime) -> None:
    assert_type(ws.price("a/b"), Price)
    assert_type(ws.price("a/b", {"prompt": "a cat"}).discounted_price, float)
    for model in ws.models():
        assert_type(model, Model)
        assert_type((model.model_id, model.type_, model.base_price), tuple[str, str | None, float | None])
        assert_type((model.api_schema, model.raw), tuple[dict[str, Any] | None, dict[str, Any]])
    usage = ws.usage(start, end, model="a/b")
    assert_type(usage, UsageStats)
    assert_type(usage.summary.total_cost, float | None)
    for row in usage.per_model_usage or ():
        assert_type((row.model_uuid, row.total_count, row.last_used_date), tuple[str, int | None, str | None])
    for day in usage.daily_usage or ():
        assert_type((day.date, day.amount, day.count), tuple[str, float | None, int | None])
        assert_type([part.amount for part in day.models or ()], list[float | None])
    for record in ws.billings(billing_type="deduct", start=start, prediction_ids=["abc"]):
        assert_type(record, Billing)
        assert_type((record.uuid, record.price, record.created_at), tuple[str, float | None, str | None])
        if record.prediction is not None and record.order is not None:
            assert_type(record.prediction.uuid, str | None)
            assert_type(record.order.price, float | None)
    for task in ws.tasks(status="failed", created_after=start):
        assert_type(task, Task)
    assert_type(ws.balance(), float)
    assert_type(ws.delete("abc"), int | None)
    assert_type(ws.webhook_secret(), str)
    assert_type(ws.upload("a.png"), str)
    assert_type(ws.download("https://e.com/a.png", "folder/"), Path)
    assert_type(ws.save(ws.get("abc"), "folder", on_progress=lambda done, total: print(done, total)), list[Path])
    assert_type(ws.get("abc").urls, tuple[str, ...])
    for outcome in ws.run_many("a/b", [{"prompt": "a cat"}]):
        assert_type(ws.save(outcome, Path("folder")), list[Path])
    try:
        ws.save(ws.get("abc"), "folder")
    except WaveSpeedError as error:
        assert_type(error.task, Task | None)
    assert_type(Webhook("whsec_a").parse(b"", {}), Task)


async def generate_async() -> None:
    async with AsyncWaveSpeed() as ws:
        assert_type(ws, AsyncWaveSpeed)
        assert_type(ws.api, Client)
        assert_type(await ws.run("wavespeed-ai/flux-dev", {"prompt": "a cat"}, on_update=show), Task)
        assert_type(await ws.wait(await ws.get("task-1")), Task)
        assert_type([task async for task in ws.tasks()], list[Task])
        assert_type([record.price async for record in ws.billings()], list[float | None])
        assert_type((await ws.price("a/b")).currency, str | None)
        assert_type(await ws.save(await ws.get("task-1"), "folder"), list[Path])
"""
PROGRAM_WITH_MISTAKES = """
from wavespeed_client import AsyncWaveSpeed, Task, TaskInput, WaveSpeed

ws = WaveSpeed(api_key=3)  # wrong
AsyncWaveSpeed(api_key=3)  # wrong
ws.run(1)  # wrong
ws.run("wavespeed-ai/flux-dev", {"prompt": "a cat"}, 600)  # wrong
ws.run("wavespeed-ai/flux-dev").output  # wrong
ws.get(task_id="task-1")  # wrong
TaskInput(width="wide")  # wrong
ws.save("task-1", "folder")  # wrong
task: Task = AsyncWaveSpeed().run("wavespeed-ai/flux-dev")  # wrong
"""


@pytest.fixture(scope="session")
def environment(clean: Environments) -> Path:
    """The Python of a new environment with the wheel and its requirements, and nothing else."""
    return clean.python()


# The wheel


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}


def test_the_wheel_holds_both_packages_whole_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    packages = {name: data for name, data in held.items() if not name.startswith(f"{DIST_INFO}/")}
    assert packages.keys() >= {"wavespeed_api/openapi.json", "wavespeed_api/py.typed", "wavespeed_client/py.typed"}
    assert packages == files(ROOT / "generated" / "wavespeed_api") | files(ROOT / "overlay" / "wavespeed_client")
    assert held[f"{DIST_INFO}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


@pytest.fixture
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive, archive.open(f"{DIST_INFO}/METADATA") as file:
        return BytesParser().parse(file)


def test_the_wheel_requires_four_libraries_and_python_3_11(metadata: Message) -> None:
    requirements = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    assert {each.name for each in requirements if each.marker is None} == {
        "attrs",
        "httpx",
        "httpx-retries",
        "sniffio",
    }
    assert {str(each.marker) for each in requirements if each.marker is not None} == {
        'extra == "aiohttp"',
        'extra == "batch"',
        'extra == "cli"',
        'extra == "distributed"',
        'extra == "postgres"',
        'extra == "testing"',
    }
    assert metadata["Requires-Python"] == ">=3.11"
    assert (metadata["Name"], metadata["Version"]) == ("wavespeed-client", wavespeed_client.__version__)


# An environment with the wheel


def printed_by(python: Path, program: str, tmp_path: Path) -> object:
    """Run a program that prints JSON, with every warning as an error; return what it printed."""
    return json.loads(run([str(python), "-I", "-W", "error", "-c", program], cwd=tmp_path))


def test_both_packages_come_from_the_environment_and_know_their_version(environment: Path, tmp_path: Path) -> None:
    program = (
        "import json, wavespeed_api, wavespeed_client, wavespeed_client.async_client, wavespeed_client.client\n"
        "every_name = [getattr(wavespeed_client, name) for name in wavespeed_client.__all__]\n"
        "print(json.dumps([wavespeed_client.__version__, wavespeed_api.__file__, wavespeed_client.__file__]))"
    )
    version, *places = printed_by(environment, program, tmp_path)
    assert version == wavespeed_client.__version__
    for place, name in zip(places, ("wavespeed_api", "wavespeed_client"), strict=True):
        assert Path(place).is_relative_to(environment.parent.parent)
        assert Path(place).parent.name == name


def test_importing_the_client_imports_no_library(environment: Path, tmp_path: Path) -> None:
    program = "import json, sys, wavespeed_client; print(json.dumps(sorted(sys.modules)))"
    loaded = printed_by(environment, program, tmp_path)
    ours = [name for name in loaded if name.partition(".")[0] in ("wavespeed_api", "wavespeed_client")]
    assert ours == ["wavespeed_client", "wavespeed_client._version"]
    assert {"attr", "attrs", "httpx", "httpx_retries"}.isdisjoint(loaded)


def test_aiohttp_needs_its_extra(environment: Path, tmp_path: Path) -> None:
    program = (
        "import json, wavespeed_client\n"
        "try:\n    wavespeed_client.AsyncWaveSpeed('test-key', transport='aiohttp')\n"
        "except wavespeed_client.ConfigurationError as error:\n    print(json.dumps(str(error)))"
    )
    printed = str(printed_by(environment, program, tmp_path))
    assert "No module named 'aiohttp'" in printed
    assert "pip install 'wavespeed-client[aiohttp]'" in printed


def test_the_contract_kit_needs_its_extra(environment: Path, tmp_path: Path) -> None:
    program = (
        "import json, wavespeed_client\n"
        "try:\n    from wavespeed_client.testing import FakeWaveSpeed\n"
        "except ImportError as error:\n    print(json.dumps(str(error)))"
    )
    assert printed_by(environment, program, tmp_path).endswith(" is missing: install wavespeed-client[testing]")


# Type checkers in strict mode, without other settings


def mypy(python: Path, folder: Path) -> list[str]:
    return [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", str(python), str(folder)]


def pyright(python: Path, folder: Path) -> list[str]:
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    return [sys.executable, "-m", "pyright", "--pythonpath", str(python), "--project", str(folder)]


Checker = Callable[[Path, Path], list[str]]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_a_type_checker_accepts_right_programs_and_finds_each_mistake(
    checker: Checker, clean: Environments, tmp_path: Path
) -> None:
    (tmp_path / "right.py").write_text(USER_PROGRAM)
    (tmp_path / "mistaken.py").write_text(PROGRAM_WITH_MISTAKES)
    for block in PROGRAMS:
        (tmp_path / f"idiom_{block.page.replace('-', '_')}_{block.number}.py").write_text(block.text)
    everything = {need for block in PROGRAMS for need in block.needs}
    (tmp_path / "my_models.py").write_text(render({"wavespeed-ai/flux-dev": facts_of(FLUX) or {}}))
    marked = {number for number, line in enumerate(PROGRAM_WITH_MISTAKES.splitlines(), 1) if "# wrong" in line}

    command = checker(clean.python({*everything, "types-tqdm"}), tmp_path)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    found = re.findall(r"(\w+\.py):(\d+)(?::\d+)?(?: -|:) error", done.stdout)
    assert {(name, int(line)) for name, line in found} == {("mistaken.py", line) for line in marked}, done.stdout
