"""`python -m wavespeed_client.typed FILE --diff`: what it reports, and how it exits."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest

from tests.overlay.typed.conftest import PAINTER, SPEAKER, Command, Serve, texts
from tests.overlay.typed.models import PAINT, SPEAK, rows


def changed_rows() -> list[dict[str, Any]]:
    paint, speak = deepcopy(PAINT), deepcopy(SPEAK)
    paint["properties"]["size"]["enum"].remove("1280*720")
    paint["properties"]["steps"]["default"] = 8
    paint["properties"]["prompt"]["description"] = "Other words."
    del speak["properties"]["voice"]["enum"]
    return rows({PAINTER: paint, SPEAKER: speak})


def test_diff_tells_what_has_changed_and_writes_nothing(both: Command, serve: Serve) -> None:
    before = texts()
    serve(changed_rows())
    assert both("models.py", "--diff") == (
        0,
        f"words      {PAINTER}: prompt has another description\n"
        f'breaking   {PAINTER}: size may no longer be "1280*720"\n'
        f"behaviour  {PAINTER}: steps had default 4, has now 8\n"
        f'compatible {SPEAKER}: voice may now be other than "ann", "bob"\n'
        f"breaking   {SPEAKER}: the input no longer has the name AcmeSpeak_Voice\n",
        "",
    )
    assert texts() == before


def test_diff_prints_json_on_request(both: Command, serve: Serve) -> None:
    serve(changed_rows())
    code, printed, _ = both("models.py", "--diff", "--json", "--fail-on", "breaking")
    found = json.loads(printed)
    assert (code, found["verdict"], len(found["changes"])) == (1, "breaking", 5)
    assert found["changes"][1] == {
        "model": PAINTER,
        "level": "breaking",
        "where": "size",
        "what": 'may no longer be "1280*720"',
    }


def test_diff_is_the_same_whatever_the_hash_seed(both: Command) -> None:
    program = (
        "from wavespeed_client.catalogue.schema import facts_of\n"
        "from wavespeed_client.typed.lock import Lock\n"
        "from wavespeed_client.typed.update import changes\n"
        "old, new = ({'properties': {name: {'enum': [1]} for name in names}} for names in ('pqrst', 'z'))\n"
        "print(*changes(Lock({'a/b': facts_of(old)}), {'a/b': facts_of(new)}), sep='\\n')"
    )
    printed = [
        subprocess.check_output(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": str(seed)}, text=True
        )
        for seed in range(3)
    ]
    assert len(set(printed)) == 1
    assert printed[0].count("no longer has the name") == 5


def test_hostile_words_stay_on_their_line_and_reach_any_terminal(
    both: Command, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["\x1b[31m\nbreaking   a/b: no", "\u4e2d\u202e"]
    evil = {**SPEAK, "properties": {**SPEAK["properties"], **{name: {"enum": ["\x9b31m"]} for name in names}}}
    serve(rows({PAINTER: PAINT, SPEAKER: evil}))
    assert both("models.py", "--diff")[1] == (
        f"compatible {SPEAKER}: \\u001b[31m\\u000abreaking   a/b: no was added, optional\n"
        f"compatible {SPEAKER}: \u4e2d\\u202e was added, optional\n"
    )
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    serve(rows({PAINTER: PAINT, SPEAKER: evil}))
    both("models.py", "--diff")
    assert b": \\u4e2d\\u202e was added" in terminal.buffer.getvalue()  # type: ignore[attr-defined]


def test_diff_of_equal_inputs_says_nothing(both: Command, serve: Serve) -> None:
    for arguments, expected in ((["--fail-on", "any"], "nothing has changed\n"), (["--json"], '"verdict": "same"')):
        serve(rows())
        code, printed, _ = both("models.py", "--diff", *arguments)
        assert code == 0
        assert expected in printed


@pytest.mark.parametrize(("limit", "code"), [([], 0), (["--fail-on", "breaking"], 0), (["--fail-on", "any"], 1)])
def test_diff_fails_on_the_given_levels(both: Command, serve: Serve, limit: list[str], code: int) -> None:
    paint = deepcopy(PAINT)
    paint["properties"]["prompt"]["description"] = "Other words."
    serve(rows({PAINTER: paint, SPEAKER: SPEAK}))
    assert both("models.py", "--diff", *limit)[0] == code


def test_a_model_whose_input_is_not_described_any_more_is_breaking(both: Command, serve: Serve) -> None:
    serve(rows({PAINTER: PAINT, SPEAKER: None}))
    code, printed, _ = both("models.py", "--diff", "--fail-on", "breaking")
    assert (code, printed) == (1, f"breaking   {SPEAKER}: the input is no longer described in the catalogue\n")
