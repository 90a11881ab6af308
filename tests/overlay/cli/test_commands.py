"""Every command, started as a program by a person, against the stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.overlay.cli.conftest import MODEL, Ended, Invoke
from wavespeed_client.cli.program import COMMANDS
from wavespeed_client.testing import FakeWaveSpeed


def run(ws: Invoke, fake: FakeWaveSpeed) -> None:
    ended = ws("run", MODEL, "prompt=123", "--download", "out", "--max-cost", "0.30")
    (task,) = fake.tasks
    assert ended == Ended(0, f"out/{task.id}-1.jpeg\n", f"price $0.0108\ntask {task.id}\n")
    assert Path(f"out/{task.id}-1.jpeg").read_bytes()
    assert [call.input for call in fake.calls] == [{"prompt": "123"}]


def submit(ws: Invoke, fake: FakeWaveSpeed) -> None:
    ended = ws("submit", MODEL, "prompt=waves", "--webhook", "https://example.com/hook")
    (call,), (task,) = fake.calls, fake.tasks
    assert ended.code == 0
    assert ended.out.startswith(f"{task.id}  created  {MODEL}  2")
    assert (call.input, call.webhook) == ({"prompt": "waves"}, "https://example.com/hook")


def wait(ws: Invoke, fake: FakeWaveSpeed) -> None:
    with fake.client() as client:
        task = client.submit(MODEL, {"prompt": "waves"})
    assert ws("wait", task.id) == Ended(0, f"{fake.url}/media/{task.id}/1.jpeg\n", "")


def get(ws: Invoke, fake: FakeWaveSpeed) -> None:
    with fake.client() as client:
        task = client.run(MODEL, {"prompt": "waves"})
    ended = ws("get", task.id)
    assert ended.code == 0
    assert ended.lines[0].split() == [task.id, "completed", MODEL, f"{task.created_at:%FT%TZ}"]
    assert ended.lines[1:] == list(task.outputs)


def listed(ws: Invoke, fake: FakeWaveSpeed) -> None:
    with fake.client() as client:
        tasks = [client.submit(MODEL, {"prompt": str(number)}) for number in range(3)]
    ended = ws("list", "--since", "1h", "--limit", "2")
    assert ended.code == 0
    assert [line.split()[0] for line in ended.lines] == [task.id for task in reversed(tasks[1:])]


def models(ws: Invoke, fake: FakeWaveSpeed) -> None:
    ended = ws("models", "TURBO", "--type", "text-to-image")
    assert ended.lines == ["wavespeed-ai/z-image/turbo  text-to-image  $0.012  A model of the stand-in."]
    assert ws("models", "--type", "none") == Ended(0, "", "No model matches.\n")


def inputs(ws: Invoke, fake: FakeWaveSpeed) -> None:
    ended = ws("inputs", MODEL)
    assert (ended.code, ended.lines[-1].split()) == (0, ["prompt", "string", "required"])


def price(ws: Invoke, fake: FakeWaveSpeed) -> None:
    assert ws("price", MODEL, "prompt=waves") == Ended(0, "$0.0108\n", "")
    assert fake.calls == []


def balance(ws: Invoke, fake: FakeWaveSpeed) -> None:
    assert ws("balance") == Ended(0, "$100.00\n", "")


def usage(ws: Invoke, fake: FakeWaveSpeed) -> None:
    with fake.client() as client:
        client.run(MODEL, {"prompt": "waves"})
    ended = ws("usage", "--since", "24h")
    assert [line.split() for line in ended.lines[:2]] == [["total", "$0.012", "1"], [MODEL, "$0.012", "1"]]


def billings(ws: Invoke, fake: FakeWaveSpeed) -> None:
    with fake.client() as client:
        task = client.run(MODEL, {"prompt": "waves"})
    (line,) = ws("billings", "--type", "deduct", "--task", task.id).lines
    assert line.split()[1:] == ["deduct", "$0.012", task.id, MODEL]


def upload(ws: Invoke, fake: FakeWaveSpeed) -> None:
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(name.encode())
    ended = ws("upload", "a.png", "b.png")
    assert (ended.code, ended.err) == (0, "")
    assert [fake.files[url.removeprefix(fake.url)] for url in ended.lines] == [b"a.png", b"b.png"]


def download(ws: Invoke, fake: FakeWaveSpeed) -> None:
    with fake.client() as client:
        task = client.run(MODEL, {"prompt": "waves"})
    ended = ws("download", task.id, task.urls[0], "--to", "out")
    assert ended == Ended(0, f"out/{task.id}-1.jpeg\nout/1.jpeg\n", "")


def types(ws: Invoke, fake: FakeWaveSpeed) -> None:
    ended = ws("types", "models.py", MODEL)
    assert (ended.code, Path("models.py").is_file()) == (0, True)
    assert ws("types", "models.py", "--check").code == 0


def completion(ws: Invoke, fake: FakeWaveSpeed) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_WAVESPEED_CLIENT_COMPLETE" in ws("completion", shell).out


TRIED: dict[str, Callable[[Invoke, FakeWaveSpeed], None]] = {
    "run": run,
    "submit": submit,
    "wait": wait,
    "get": get,
    "list": listed,
    "models": models,
    "inputs": inputs,
    "price": price,
    "balance": balance,
    "usage": usage,
    "billings": billings,
    "upload": upload,
    "download": download,
    "types": types,
    "completion": completion,
}
ELSEWHERE = {"batch", "report", "webhook"}


@pytest.mark.parametrize("name", TRIED)
def test_each_command_does_what_it_says(name: str, program: Invoke, account: FakeWaveSpeed) -> None:
    TRIED[name](program, account)


def test_every_command_is_tried_as_a_program() -> None:
    assert TRIED.keys() | ELSEWHERE == COMMANDS.keys()


JSON: list[tuple[tuple[str, ...], Callable[..., bool]]] = [
    (("run", MODEL, "prompt=x"), lambda printed, task: printed["task"]["id"] == task.id and printed["price"] == 0.0108),
    (("submit", MODEL, "prompt=x"), lambda printed, task: printed["task"]["status"] == "created"),
    (("list",), lambda printed, task: printed == {"tasks": []}),
    (("models",), lambda printed, task: printed["models"][0]["id"] == MODEL),
    (
        ("inputs", MODEL),
        lambda printed, task: printed["inputs"][0]["name"] == "prompt" and printed["inputs"][0]["required"],
    ),
    (("price", MODEL), lambda printed, task: printed["price"]["amount"] == 0.0108),
    (("balance",), lambda printed, task: printed == {"balance": 100.0}),
    (("usage",), lambda printed, task: printed["usage"]["summary"]["total_requests"] == 0),
    (("billings",), lambda printed, task: printed == {"billings": []}),
]


@pytest.mark.parametrize(("arguments", "fits"), JSON, ids=[arguments[0] for arguments, _ in JSON])
def test_json_is_one_object_on_stdout(
    arguments: tuple[str, ...], fits: Callable[..., bool], invoke: Invoke, account: FakeWaveSpeed
) -> None:
    ended = invoke(*arguments, "--json")
    assert ended.code == 0
    assert fits(json.loads(ended.out), account.tasks[0] if account.tasks else None)


def test_json_of_files_names_each_path_and_url(invoke: Invoke, account: FakeWaveSpeed) -> None:
    Path("a.png").write_bytes(b"a")
    (uploaded,) = json.loads(invoke("upload", "a.png", "--json").out)["uploads"]
    assert uploaded["file"] == "a.png"
    assert account.files[uploaded["url"].removeprefix(account.url)] == b"a"
    (path,) = json.loads(invoke("download", uploaded["url"], "--to", "out", "--json").out)["files"]
    assert Path(path).read_bytes() == b"a"


def test_a_file_in_the_input_is_uploaded_first_and_its_url_priced_and_sent(
    invoke: Invoke, account: FakeWaveSpeed, catalogue: Callable[..., None]
) -> None:
    Path("harbour.jpg").write_bytes(b"harbour")
    catalogue()
    ended = invoke("run", MODEL, "prompt=waves", "images=@harbour.jpg", "images=@harbour.jpg")
    (call,) = account.calls
    url = call.input["images"][0]
    assert call.input == {"prompt": "waves", "images": [url, url]}
    assert account.files == {url.removeprefix(account.url): b"harbour"}
    assert ended.err.splitlines()[:2] == ["uploaded harbour.jpg", "price $0.0108"]
    order = [request.path.rpartition("/")[2] for request in account.requests if request.method == "POST"]
    assert order == ["uploads", "price", "flux-dev"]
    (quoted,) = [json.loads(request.body) for request in account.requests if request.path.endswith("/price")]
    assert quoted["inputs"] == call.input


def test_the_price_of_an_input_with_files_is_an_estimate_without_uploads(
    invoke: Invoke, account: FakeWaveSpeed, catalogue: Callable[..., None]
) -> None:
    Path("harbour.jpg").write_bytes(b"harbour")
    catalogue()
    ended = invoke("price", MODEL, "image=@harbour.jpg")
    assert (ended.out, account.files) == ("$0.0108\n", {})
    assert "estimate" in ended.err


def test_run_submits_nothing_without_a_price(invoke: Invoke, account: FakeWaveSpeed) -> None:
    account.refuse(404, message="No price.", on="price")
    ended = invoke("run", MODEL, "prompt=x")
    assert (ended.code, account.calls) == (1, [])
    assert ended.err == "Error: No price. (HTTP 404)\n"


def test_an_unusable_folder_is_refused_before_anything_is_paid(invoke: Invoke, account: FakeWaveSpeed) -> None:
    Path("file").write_text("")
    assert invoke("run", MODEL, "prompt=x", "--download", "file/out").code == 2
    assert account.calls == []


def test_outputs_that_cannot_be_fetched_are_named_with_the_command_that_tries_again(
    invoke: Invoke, account: FakeWaveSpeed
) -> None:
    account.refuse(404, on="download", times=9)
    ended = invoke("run", MODEL, "prompt=x", "--download", "out", "--json")
    printed = json.loads(ended.out)["error"]
    assert (ended.code, printed["task"]["id"]) == (1, account.tasks[0].id)
    account.refuse(404, on="download", times=9)
    assert f"wavespeed-client download {account.tasks[0].id}" in invoke("download", account.tasks[0].id).err


def test_text_and_objects_are_printed_as_they_are(invoke: Invoke, account: FakeWaveSpeed) -> None:
    account.script(MODEL, "completed", outputs=["two\nlines", {"score": 1}])
    assert invoke("run", MODEL, "prompt=x").out == 'two\nlines\n{"score": 1}\n'
