"""What mypy, pyright and ty say about programs that use a written file: each mistake is found, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.overlay.typed.models import MODELS
from tests.overlay.typed.page import FLUX, INPUTS, MISTAKEN, SAID, TESTED, USE
from wavespeed_client.catalogue.schema import Facts, facts_of
from wavespeed_client.typed.render import render

HEAD = """\
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, assert_type
import acme_models as m
from wavespeed_client import AsyncWaveSpeed, Outcome
from wavespeed_client.typed import AsyncTypedModel, ModelOf

tokens: list[ModelOf[Any]] = [m.acme_paint_2_1_fast, m.acme_speak]

async def program(
    ws: AsyncWaveSpeed,
    path: Path,
    urls: list[str],
    paths: list[Path],
    numbers: list[int],
    spooled: SpooledTemporaryFile[bytes],
) -> None:
    paint = ws.use(m.acme_paint_2_1_fast)
    speak = ws.use(m.acme_speak)
    assert_type(paint, AsyncTypedModel[m.AcmePaint2_1FastInput])
    assert_type((m.acme_speak.id, speak.id), tuple[str, str])
"""
# What only an async client accepts.
ASYNC = f"""{HEAD}\
    async def pulled() -> AsyncIterator[m.AcmePaint2_1FastInput]:
        yield {{"prompt": "a"}}
    outcomes = [outcome async for outcome in paint.run_many(pulled())]
    assert_type(outcomes, list[Outcome])
"""
SYNC = f"""{HEAD.replace("Async", "").replace("async ", "")}\
    def pulled() -> Iterator[m.AcmePaint2_1FastInput]:
        yield {{"prompt": "a"}}
    outcomes = list(paint.run_many(pulled()))
    assert_type(outcomes, list[Outcome])
"""

MISTAKES = [
    'paint.run({"promt": "a"})',
    'paint.run({"prompt": "a", "sise": "1280*720"})',
    'paint.run({"prompt": "a", "size": "1x1"})',
    'paint.run({"prompt": "a", "steps": 5})',
    "paint.run({})",
    "paint.run()",
    "paint.run(None)",
    'paint.run({"prompt": 1})',
    'paint.run({"prompt": path})',
    'paint.run({"prompt": "a", "seed": "1"})',
    'paint.run({"prompt": "a", "seed": 1.5})',
    'paint.run({"prompt": "a", "seed": None})',
    'paint.run({"prompt": "a", "strength": "high"})',
    'paint.run({"prompt": "a", "enable_safety_checker": "no"})',
    'paint.run({"prompt": "a", "image": b"bytes"})',
    'paint.run({"prompt": "a", "images": "https://example.com/a.png"})',
    'paint.run({"prompt": "a", "images": [1]})',
    'paint.run({"prompt": "a", "weights": ["heavy"]})',
    'paint.run({"prompt": "a", "loras": {"path": "a"}})',
    'paint.run({"prompt": "a", "loras": [{}]})',
    'paint.run({"prompt": "a", "loras": [{"pfad": "a"}]})',
    'paint.run({"prompt": "a", "loras": [{"path": "a", "kind": "medium"}]})',
    'paint.run({"prompt": "a", "loras": [{"path": "a", "scale": "1"}]})',
    'paint.submit({"promt": "a"}, webhook="https://example.com")',
    'paint.price({"prompt": "a", "size": "1x1"})',
    'paint.run_many([{"prompt": "a"}, {"promt": "a"}])',
    'paint.run_many({"prompt": f"{take}", "steps": 5} for take in range(3))',
    'paint.run_many({"prompt": "a"})',
    'paint.run({"prompt": "a"}, timeout="soon")',
    'paint.run({"prompt": "a"}, max_cots=1)',
    'paint.run(m.AcmeSpeakInput(text="a"))',
    'speak.run({"text": "a", "class": 1})',
    'speak.run({"text": "a", "voice": "eve"})',
    'ws.use("acme/speak")',
]
GOOD = [
    'paint.run({"prompt": "a"})',
    'paint.run({"prompt": "a", "size": "1280*720", "steps": 8, "seed": 1, "strength": 1, "loras": []})',
    'paint.run({"prompt": "a", "image": "https://example.com/a.png"}, timeout=None, max_cost=1)',
    'paint.run({"prompt": "a", "image": path, "images": ["https://example.com/a.png", path]})',
    'paint.run({"prompt": "a", "images": urls})',
    'paint.run({"prompt": "a", "images": paths})',
    'paint.run({"prompt": "a", "images": [open(each, "rb") for each in paths]})',
    'paint.run({"prompt": "a", "images": [spooled]})',
    'paint.run({"prompt": "a", "weights": numbers})',
    'paint.run({"prompt": "a", "weights": [1, 0.5]})',
    'paint.run({"prompt": "a", "loras": [{"path": "a"}, {"path": "b", "scale": 0.5, "kind": "low"}]})',
    'paint.run(m.AcmePaint2_1FastInput(prompt="a", steps=4))',
    'paint.submit({"prompt": "a"}, webhook="https://example.com")',
    "paint.price()",
    'paint.run_many([{"prompt": "a"}, {"prompt": "b", "steps": 8}], max_in_flight=2, journal="j")',
    'paint.run_many({"prompt": f"take {take}"} for take in range(3))',
    'ws.run("acme/paint-2.1/fast", m.AcmePaint2_1FastInput(prompt="a"))',
    'ws.use(m.acme_speak).run({"text": "a", "voice": "ann", "class": "b"})',
]
# Statements of a module.
PLAIN = """
base: m.AcmePaint2_1FastInput = {"prompt": "a"}
base["seed"] = 3
size: m.AcmePaint2_1Fast_Size = "1280*720"
sized: m.AcmePaint2_1FastInput = {**base, "size": size}
loras: list[m.AcmePaint2_1Fast_Loras] = [{"path": "a"}]
tuned: m.AcmePaint2_1FastInput = {"prompt": "a", "loras": loras}
inputs: list[m.AcmePaint2_1FastInput] = [{"prompt": "a"}]
"""


AWAITED = re.compile(r"\.(run|submit|price)\(")


def program(head: str, lines: list[str], wait: str) -> str:
    return head + "".join(f"    {wait if AWAITED.search(line) else ''}{line}\n" for line in lines)


def mypy(folder: Path) -> list[str]:
    return [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(folder)]


def pyright(folder: Path) -> list[str]:
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    return [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--project", str(folder)]


def ty(folder: Path) -> list[str]:
    return [sys.executable, "-m", "ty", "check", "--python", sys.prefix, "--output-format", "concise", str(folder)]


CHECKERS: list[Callable[[Path], list[str]]] = [mypy, pyright, ty]


@pytest.mark.parametrize(("checker", "quoted"), list(zip(CHECKERS, SAID, strict=True)))
def test_type_checkers_find_each_mistake_and_nothing_else(
    checker: Callable[[Path], list[str]], quoted: str, tmp_path: Path
) -> None:
    wrong = {"bad_sync.py": program(SYNC, MISTAKES, ""), "bad_async.py": program(ASYNC, MISTAKES, "await ")}
    right = {"good_sync.py": program(SYNC, GOOD, "") + PLAIN, "good_async.py": program(ASYNC, GOOD, "await ") + PLAIN}
    page = {"picture.py": MISTAKEN, "use.py": USE, "inputs.py": INPUTS, "tested.py": TESTED}
    written = {"acme_models.py": render(facts(MODELS)), "my_models.py": render(facts({"wavespeed-ai/flux-dev": FLUX}))}
    for name, text in (wrong | right | page | written).items():
        (tmp_path / name).write_text(text)

    done = subprocess.run(checker(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False)

    said = done.stdout.replace(f"{tmp_path}{os.sep}", "")
    found = {(name, int(line)) for name, line in re.findall(r"(\w+\.py):(\d+)(?::\d+)?(?: -|:) error", said)}
    expected = {
        (name, number)
        for name, text in wrong.items()
        for number in range(text.count("\n") - len(MISTAKES) + 1, text.count("\n") + 1)
    }
    assert found - expected == {("picture.py", 6), ("picture.py", 7), ("picture.py", 8)}, said
    assert not [wrong[name].splitlines()[number - 1] for name, number in sorted(expected - found)]
    assert about("picture.py", said) == quoted.split(), said


def about(name: str, said: str) -> list[str]:
    """Return what a checker says about one file."""
    begins = re.split(r"^(?= *\w+\.py:\d)|^(?=\S+\.py$)|^(?=Found \d)|^(?=\d+ error)", said, flags=re.MULTILINE)
    return "".join(part for part in begins if part.lstrip().startswith(f"{name}:")).split()


def facts(models: dict[str, Any]) -> dict[str, Facts]:
    return {model: facts_of(schema) or {} for model, schema in models.items()}
