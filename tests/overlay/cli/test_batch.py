"""`batch`: what is paid, what is printed, and how it continues."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from tests.overlay.cli.conftest import MODEL, PROGRAM, SCHEMA, Invoke
from wavespeed_client.batch.reading import read_journal
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.cli.rows import inputs_of, read_rows
from wavespeed_client.testing import FakeWaveSpeed

PRICE = 0.0108


def prompts(count: int, name: str = "prompts.csv") -> None:
    Path(name).write_text("prompt\n" + "".join(f"cat {number}\n" for number in range(count)))


def rows(text: str, **more: Any) -> list[dict[str, Any]]:
    Path("in").write_bytes(text.encode("utf-8-sig" if more.get("mark") else "utf-8"))
    return inputs_of(read_rows("in"), facts_of(SCHEMA), Path())


READ = [
    ("prompt,seed\na cat,5\n\n123,\n", [{"prompt": "a cat", "seed": 5}, {"prompt": "123"}]),
    ('prompt,sizes\n"two\nlines, ""quoted""","[1,2]"\n', [{"prompt": 'two\nlines, "quoted"', "sizes": [1, 2]}]),
    ("prompt,@image\nx,a.png\n", [{"prompt": "x", "image": Path("a.png")}]),
    ("@images\na.png\n", [{"images": [Path("a.png")]}]),
    ('{"prompt": 5, "seed": null}\n\n{"@images": ["a.png", "a.png"]}\n', None),
    ('[{"prompt": "a"}, {"prompt": "b"}]', [{"prompt": "a"}, {"prompt": "b"}]),
    ("prompt\n", []),
    ("", []),
]


@pytest.mark.parametrize("mark", [False, True], ids=["", "with a mark"])
@pytest.mark.parametrize(("text", "expected"), READ, ids=[repr(text)[:24] for text, _ in READ])
def test_rows_are_inputs(text: str, expected: Any, mark: bool) -> None:
    Path("a.png").write_bytes(b"a")
    if expected is None:
        expected = [{"prompt": 5, "seed": None}, {"images": [Path("a.png"), Path("a.png")]}]
    assert rows(text, mark=mark) == expected


WRONG = [
    ("prompt,prompt\na,b\n", "'prompt' occurs twice"),
    ("prompt,\na,b\n", "a column has no name"),
    ("prompt\na,b\n", "Line 2 has 2 cells, but line 1 has only 1"),
    ("prompt,seed\na,1\nb,many\n", "Line 3: seed must be a whole number"),
    ("promt\na\n", "Line 2: The model's schema has no field 'promt'. Did you mean prompt? To send"),
    ("promt\na\n", "use JSON Lines"),
    ("@image\nmissing.png\n", "Line 2: image=@missing.png: the file does not exist"),
    ('{"prompt": 1}\n{"prompt": NaN}\n', "Line 2: The value of prompt is not JSON (NaN is not JSON)."),
    ('{"prompt": 1}\n{"prompt": "\\ud800"}\n', "Line 2: prompt is text with half of a surrogate pair"),
    ('{"prompt": 1}\n{"stream": true}\n', "Line 2: A stream is billed"),
    ('{"prompt": 1}\n{"prompt"\n', "Line 2 is not JSON"),
    ('{"prompt": 1}\n5\n', "Line 2 must be a JSON object"),
    ('[{"prompt": 1}, 5]', "Line 2 must be a JSON object"),
    ('{"@image": 5}\n', "must be a path or a list of paths, not 5"),
    ('prompt\n"a\n', "is not valid CSV"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_row_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        rows(text)
    assert message in refused.value.message


def test_bytes_that_are_no_text_are_refused(invoke: Invoke) -> None:
    Path("in").write_bytes(b"prompt\n\xff\n")
    assert "not UTF-8 text" in invoke("batch", MODEL, "in", "--yes").err
    assert "No such file" in invoke("batch", MODEL, "nowhere", "--yes").err


def test_without_a_terminal_a_batch_needs_yes_or_a_limit(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(3)
    ended = invoke("batch", MODEL, "prompts.csv")
    assert (ended.code, ended.out, account.calls) == (2, "", [])
    assert "3 inputs, 3 to pay: $0.0324. Nothing was submitted" in ended.err
    assert "--yes" in ended.err
    assert json.loads(invoke("batch", MODEL, "prompts.csv", "--json").out)["error"]["exit_code"] == 2


def test_the_price_is_printed_first_and_then_each_output_as_it_comes(program: Invoke, account: FakeWaveSpeed) -> None:
    prompts(4)
    ended = program("batch", MODEL, "prompts.csv", "--yes", "--download", "out")
    assert ended.code == 0
    assert sorted(ended.lines) == sorted(f"out/{task.id}-1.jpeg" for task in account.tasks)
    assert all(Path(line).is_file() for line in ended.lines)
    assert ended.err.splitlines() == ["4 inputs, 4 to pay: $0.0432.", "4 done, cost $0.0432"]
    assert [call.input for call in account.calls] != []
    first = [request.path for request in account.requests if request.method == "POST"]
    assert first[:4] == ["/api/v3/model/price"] * 4


def test_json_is_an_object_a_line_old_outcomes_included(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(2)
    invoke("batch", MODEL, "prompts.csv", "--yes", "--journal", "b.jsonl")
    prompts(3)
    account.fail(MODEL, error="Flagged.")
    ended = invoke("batch", MODEL, "prompts.csv", "--yes", "--journal", "b.jsonl", "--json")
    printed = {line["index"]: line for line in map(json.loads, ended.lines)}
    assert ended.code == 3
    assert [printed[index]["input"] for index in range(3)] == [{"prompt": f"cat {index}"} for index in range(3)]
    assert {printed[index]["task"]["id"] for index in range(3)} == {task.id for task in account.tasks}
    assert [printed[index]["error"] for index in range(2)] == [None, None]
    assert printed[2]["error"]["type"] == "TaskFailedError"
    assert len(account.calls) == 3
    assert "3 inputs, 2 already done, 1 to pay: $0.0108." in ended.err


def test_a_dash_means_stdin(account: FakeWaveSpeed) -> None:
    given = '{"prompt": "one"}\n{"prompt": "two"}\n'
    command = [*PROGRAM, "batch", MODEL, "-", "--budget", "1"]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert sorted(call.input["prompt"] for call in account.calls) == ["one", "two"]


@pytest.mark.parametrize(("option", "paid"), [(["--budget", "0.0324"], 3), (["--max-cost", "0.01", "--yes"], 0)])
def test_a_batch_pays_no_more_than_its_limit(
    option: list[str], paid: int, invoke: Invoke, account: FakeWaveSpeed
) -> None:
    prompts(8)
    ended = invoke("batch", MODEL, "prompts.csv", *option)
    assert (ended.code, len(ended.lines), len(account.calls)) == (5, paid, paid)
    assert f"{paid} done, {8 - paid} failed" in ended.err


def test_a_budget_counts_what_the_journal_records(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(6)
    command = ("batch", MODEL, "prompts.csv", "--journal", "b.jsonl")
    assert invoke(*command, "--budget", "0.0216").code == 5
    ended = invoke(*command, "--budget", "0.0324")
    assert "The budget is $0.0324, of which $0.0216 is spent." in ended.err
    assert len(account.calls) == 3
    assert sum(entry.cost or 0 for entry in read_journal("b.jsonl") if entry.event == "finished") == 3 * PRICE


def test_failed_inputs_are_paid_again_only_on_request(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(2)
    command = ("batch", MODEL, "prompts.csv", "--journal", "b.jsonl")
    account.fail(MODEL, error="Flagged.")
    assert invoke(*command, "--yes").code == 3
    account.script(MODEL, "completed")
    assert invoke(*command).code == 3  # nothing is to be paid, so no confirmation is needed
    refused = invoke(*command, "--retry-failed")
    assert (refused.code, len(account.calls)) == (2, 2)
    assert "2 inputs, 2 to pay: $0.0216" in refused.err
    assert invoke(*command, "--retry-failed", "--yes").code == 0
    assert Counter(call.input["prompt"] for call in account.calls) == {"cat 0": 2, "cat 1": 2}
    assert invoke("batch", MODEL, "prompts.csv", "--retry-failed", "--yes").code == 2


def test_files_are_uploaded_and_recognized_by_their_content(
    invoke: Invoke, account: FakeWaveSpeed, catalogue: Callable[..., None]
) -> None:
    Path("in").mkdir()
    for name in ("a.png", "b.png"):
        Path("in", name).write_bytes(name.encode())
    Path("in/rows.csv").write_text("prompt,@image\nx,a.png\ny,b.png\n")
    command = ("batch", MODEL, "in/rows.csv", "--journal", "b.jsonl", "--yes")
    catalogue()
    assert "2 to pay: about $0.0216" in invoke(*command).err
    images = {call.input["prompt"]: call.input["image"] for call in account.calls}
    assert {prompt: account.files[url.removeprefix(account.url)] for prompt, url in images.items()} == {
        "x": b"a.png",
        "y": b"b.png",
    }
    catalogue()
    ended = invoke(*command, "--json")
    assert (ended.code, len(account.calls)) == (0, 2)
    assert {json.loads(line)["input"]["image"] for line in ended.lines} == {"in/a.png", "in/b.png"}


def test_an_uncertain_input_is_never_sent_again(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(1)
    account.drop()
    command = ("batch", MODEL, "prompts.csv", "--journal", "b.jsonl", "--yes")
    assert invoke(*command).code == 6
    ended = invoke(*command)
    assert (ended.code, len(account.calls)) == (6, 1)
    assert f"wavespeed-client list --model {MODEL}" in ended.err


def test_a_batch_whose_price_is_unknown_pays_nothing(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(2)
    account.refuse(404, message="No price.", on="price", times=9)
    ended = invoke("batch", MODEL, "prompts.csv", "--yes")
    assert (ended.code, account.calls) == (1, [])


def test_many_inputs_are_priced_by_a_sample(
    invoke: Invoke, account: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavespeed_client.cli.plan.MOST_QUOTES", 4)
    prompts(10)
    ended = invoke("batch", MODEL, "prompts.csv")
    assert "10 to pay: about $0.108." in ended.err
    assert len(account.requests) <= 6


def test_outputs_that_cannot_be_saved_are_reported_and_stop_nothing(invoke: Invoke, account: FakeWaveSpeed) -> None:
    prompts(3)
    account.refuse(404, on="download")
    ended = invoke("batch", MODEL, "prompts.csv", "--yes", "--download", "out")
    assert (ended.code, len(ended.lines), len(account.calls)) == (1, 2, 3)
    assert "wavespeed-client download" in ended.err


def test_ctrl_c_names_the_running_tasks_and_the_same_command_continues(account: FakeWaveSpeed) -> None:
    prompts(6)
    account.script(MODEL, "processing")
    command = [*PROGRAM, "batch", MODEL, "prompts.csv", "--journal", "b.jsonl", "--yes", "--max-in-flight", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while len(account.calls) < 2:
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "6 inputs, 2 running, 4 to pay. Submitted tasks keep running. Run the same command again" in err
    assert "Traceback" not in err


def test_a_closed_pipe_ends_the_batch_without_paying_more(account: FakeWaveSpeed) -> None:
    prompts(30)
    command = [*PROGRAM, "batch", MODEL, "prompts.csv", "--journal", "b.jsonl", "--yes", "--max-in-flight", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
        assert running.wait(60) == 1
    assert "Run the same command again to continue" in err
    assert "Traceback" not in err
    assert len(account.calls) < 30
