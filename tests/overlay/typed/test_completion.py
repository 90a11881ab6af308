"""What an editor offers while an input is typed, according to pyright's language server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.overlay.typed.models import MODELS, PAINT
from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.typed.render import render

HEAD = """\
import my_models as m
from wavespeed_client import WaveSpeed
paint = WaveSpeed().use(m.acme_paint_2_1_fast)
"""
LORA = PAINT["properties"]["loras"]["items"]["properties"]


class Editor:
    """A client of the language server, with one file open."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        # A server that is silent ends the test, which else would wait for it.
        self._limit = Timer(60, self._server.kill)
        self._limit.start()
        self._number = 0
        self._uri = (folder / "program.py").as_uri()
        root = folder.as_uri()
        workspace = [{"uri": root, "name": "program"}]
        self.request(
            "initialize", {"processId": None, "rootUri": root, "capabilities": {}, "workspaceFolders": workspace}
        )
        self._send({"method": "initialized", "params": {}})
        opened = {"uri": self._uri, "languageId": "python", "version": 0, "text": ""}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": opened}})

    def offered(self, line: str) -> set[str]:
        """Return what is offered at the place of | in the line after HEAD."""
        text = HEAD + line.replace("|", "") + "\n"
        document = {"uri": self._uri, "version": self._number + 1}
        self._send(
            {
                "method": "textDocument/didChange",
                "params": {"textDocument": document, "contentChanges": [{"text": text}]},
            }
        )
        place = {"line": HEAD.count("\n"), "character": line.index("|")}
        found = self.request("textDocument/completion", {"textDocument": {"uri": self._uri}, "position": place})
        return {item["label"].strip("\"'") for item in found["items"]}

    def request(self, method: str, params: dict[str, Any]) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while (message := self._read()).get("id") != self._number or "method" in message:
            if "id" in message:  # the server requests settings
                wanted = message["params"].get("items", ()) if message["params"] else ()
                self._send({"id": message["id"], "result": [None for _ in wanted]})
        return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._server.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._server.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        lengths = [line.split(b":")[1] for line in iter(self._server.stdout.readline, b"\r\n") if b"Length" in line]
        found: dict[str, Any] = json.loads(self._server.stdout.read(int(lengths[0])))
        return found

    def close(self) -> None:
        self._limit.cancel()
        self._server.kill()
        self._server.communicate()


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("editor")
    facts = {model: facts_of(schema) or {} for model, schema in MODELS.items()}
    (folder / "my_models.py").write_text(render(facts))
    (folder / "pyrightconfig.json").write_text(
        json.dumps({"venvPath": str(Path(sys.prefix).parent), "venv": Path(sys.prefix).name})
    )
    (folder / "program.py").write_text("")
    editor = Editor(folder)
    yield editor
    editor.close()


PLACES = [
    ('paint.run({"|"})', set(PAINT["properties"]), {"path"}),
    ('paint.run({"prompt": "a", "|"})', set(PAINT["properties"]) - {"prompt"}, {"prompt"}),
    ('paint.run({"prompt": "a", "size": "|"})', set(PAINT["properties"]["size"]["enum"]), {"low"}),
    ('paint.run({"prompt": "a", "loras": [{"|"}]})', set(LORA), {"prompt"}),
    ('paint.run({"prompt": "a", "loras": [{"path": "a", "kind": "|"}]})', {"low", "high"}, {"prompt"}),
    ('paint.run_many([{"|"}])', set(PAINT["properties"]), {"path"}),
    ('paint.price({"|"})', set(PAINT["properties"]), {"path"}),
    ("paint.|", {"run", "run_many", "submit", "price", "id"}, {"balance"}),
    ("m.acme|", {"acme_paint_2_1_fast", "acme_speak"}, set[str]()),
]


@pytest.mark.parametrize(("line", "offered", "others"), PLACES, ids=[line for line, *_ in PLACES])
def test_an_editor_offers_keys_and_values(editor: Editor, line: str, offered: set[str], others: set[str]) -> None:
    found = editor.offered(line)
    assert offered <= found
    assert not others & found
