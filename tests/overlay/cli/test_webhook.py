"""`webhook listen` and `webhook verify`, with calls that the stand-in has signed, and with forged ones."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.overlay.cli.conftest import MODEL, PROGRAM, Invoke
from wavespeed_client import Webhook
from wavespeed_client.testing import FakeWaveSpeed

BODY = json.dumps({"id": "abc", "model": MODEL, "status": "completed", "outputs": ["https://example.com/1.png"]})


@pytest.fixture
def listening(account: FakeWaveSpeed) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, which gets the secret from the service, and its URL."""
    command = [*PROGRAM, "webhook", "listen", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        line = running.stderr.readline()
        assert line.startswith("Listening on http://127.0.0.1:")
        yield running, line.split()[2]
        running.kill()


def test_each_verified_call_is_printed_and_all_others_are_refused(
    listening: tuple[subprocess.Popen[str], str], account: FakeWaveSpeed
) -> None:
    running, url = listening
    assert running.stdout is not None
    assert running.stderr is not None
    with account.client() as client:
        task = client.submit(MODEL, {"prompt": "x"}, webhook=url)
    (delivery,) = account.wait_for_deliveries()
    assert delivery.statuses == [200]
    assert running.stdout.readline().split()[:3] == [task.id, "completed", MODEL]
    assert running.stdout.readline() == f"{account.url}/media/{task.id}/1.jpeg\n"
    forged = Webhook("whsec_other").sign(BODY.encode(), id="1")
    stale = Webhook(account.webhook_secret).sign(BODY.encode(), id="1", timestamp=1)
    for headers, reason in (
        (forged, "another secret"),
        (stale, "too far from now"),
        ({}, "exactly once"),
    ):
        response = requests.post(url, BODY, headers=headers, timeout=60)
        assert response.status_code == 400
        assert reason in running.stderr.readline()
    assert requests.get(url, timeout=60).status_code == 405
    assert requests.post(f"{url}x", BODY, timeout=60).status_code == 404
    assert requests.post(url, iter([b"x"]), timeout=60).status_code == 411
    assert requests.post(url, headers={"Content-Length": str(10**12)}, timeout=60).status_code == 413
    running.send_signal(signal.SIGINT)
    assert running.stdout.read() == ""
    assert running.wait(60) == 130


def test_a_port_that_is_taken_is_a_configuration_error(
    listening: tuple[subprocess.Popen[str], str], invoke: Invoke
) -> None:
    port = listening[1].rstrip("/").rpartition(":")[2]
    ended = invoke("webhook", "listen", "--port", port)
    assert ended.code == 2
    assert "Cannot listen" in ended.err


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_saved_call_is_checked_whatever_its_age(
    end: str, invoke: Invoke, account: FakeWaveSpeed, tmp_path: Path
) -> None:
    headers = Webhook(account.webhook_secret).sign(BODY.encode(), id="1", timestamp=1_700_000_000)
    lines = ["POST / HTTP/1.1", "Host: example.com", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    path = tmp_path / "call.http"
    path.write_bytes(end.join(lines).encode() + BODY.encode())
    ended = invoke("webhook", "verify", "call.http")
    assert (ended.code, ended.lines) == (0, [f"abc  completed  {MODEL}", "https://example.com/1.png"])
    assert json.loads(invoke("webhook", "verify", "call.http", "--json").out)["task"]["id"] == "abc"
    assert invoke("webhook", "verify", "call.http", "--max-age", "5m").code == 1
    path.write_bytes(path.read_bytes().replace(b"abc", b"abd"))
    refused = invoke("webhook", "verify", "call.http")
    assert (refused.code, refused.out) == (1, "")
    assert "signature" in refused.err


def test_the_secret_of_the_environment_needs_no_request(
    invoke: Invoke, account: FakeWaveSpeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAVESPEED_WEBHOOK_SECRET", "whsec_own")
    monkeypatch.delenv("WAVESPEED_API_KEY")
    headers = Webhook().sign(BODY.encode(), id="1")
    doubled = [*headers.items(), ("Webhook-Id", "2")]
    for name, pairs in (("good", headers.items()), ("doubled", doubled)):
        lines = [*(f"{key}: {value}" for key, value in pairs), "", BODY]
        (tmp_path / name).write_text("\n".join(lines))
    assert invoke("webhook", "verify", "good").code == 0
    assert "twice" in invoke("webhook", "verify", "doubled").err
    (tmp_path / "none").write_text("{}")
    assert invoke("webhook", "verify", "none").code == 2
    assert account.requests == []
