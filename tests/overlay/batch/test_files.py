"""Files in the inputs of a batch: uploaded before each submission, each content once; journals know them by digest."""

import hashlib
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Connect, Driven
from tests.overlay.files.test_uploads import Image, stored
from tests.overlay.files.uploading import tickets
from tests.servers.in_process import stepper
from wavespeed_client import InvalidInputError, Outcome, ServerError
from wavespeed_client.batch.state import Batch
from wavespeed_client.files.upload import CHUNK
from wavespeed_client.testing import FakeWaveSpeed

MODEL = "wavespeed-ai/flux-dev"


@pytest.fixture(autouse=True)
def quick(fake: FakeWaveSpeed) -> None:
    fake.script(MODEL, "created", "completed")


def batch(ws: Driven, inputs: list[Any], **options: Any) -> list[Outcome]:
    return sorted(ws.run_many(MODEL, inputs, **options), key=lambda outcome: outcome.index)


def lines(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("journaled", [False, True])
def test_each_content_is_uploaded_once_and_each_input_sent_with_its_url(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path, journaled: bool
) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    shared, image = io.BytesIO(b"shared"), Image("PNG", b"i")
    inputs = [
        {"n": number, "files": [tmp_path / "a.png", {"path": shared}], "image": image if number % 2 else "text"}
        for number in range(10)
    ]
    outcomes = batch(ws, inputs, journal=tmp_path / "j.jsonl" if journaled else None)
    assert [outcome.error for outcome in outcomes] == [None] * 10
    assert [outcome.input for outcome in outcomes] == inputs
    assert sorted(fake.files.values()) == [b"PNGi", b"a", b"shared"]
    assert len(tickets(fake)) == 3
    for call in fake.calls:
        first, second = call.input["files"]
        assert [stored(fake, first), stored(fake, second["path"])] == [b"a", b"shared"]
        image_sent = call.input["image"]
        assert image_sent == "text" if call.input["n"] % 2 == 0 else stored(fake, image_sent) == b"PNGi"


def test_the_journal_identifies_files_by_their_content(ws: Driven, fake: FakeWaveSpeed, tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    (tmp_path / "a.png").write_bytes(b"a")
    digest = hashlib.sha256(b"a").hexdigest()
    first = batch(ws, [{"image": tmp_path / "a.png"}, {"image": io.BytesIO(b"b")}], journal=journal)
    planned = [line["input"]["image"] for line in lines(journal) if line.get("event") == "planned"]
    assert {"$file": digest, "name": "a.png"} in planned
    assert {one["name"] for one in planned} == {"a.png", "file"}
    uploads = {line["digest"]: line["url"] for line in lines(journal) if line.get("event") == "uploaded"}
    assert uploads[digest] in {call.input["image"] for call in fake.calls}
    assert len(uploads) == 2
    # Another name, another kind of file, another order: the contents are the same.
    (tmp_path / "renamed.png").write_bytes(b"b")
    again = batch(ws, [{"image": tmp_path / "renamed.png"}, {"image": io.BytesIO(b"a")}], journal=journal)
    assert [outcome.task for outcome in again] == [outcome.task for outcome in reversed(first)]
    assert len(fake.calls) == 2


def test_a_later_run_uploads_nothing_that_the_service_has(
    connect: Connect, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    journal, inputs = tmp_path / "j.jsonl", [{"n": number, "image": io.BytesIO(b"a")} for number in range(2)]
    for count in (1, 2):
        outcomes = batch(connect(base_url=fake.url), inputs[:count], journal=journal)
        assert [outcome.error for outcome in outcomes] == [None] * count
    assert len(tickets(fake)) == 1
    assert len({call.input["image"] for call in fake.calls}) == 1
    old = journal.read_text("utf-8").replace('"event": "uploaded", "at": "20', '"event": "uploaded", "at": "19')
    journal.write_text(old, "utf-8")
    batch(connect(base_url=fake.url), [*inputs, {"n": 2, "image": io.BytesIO(b"a")}], journal=journal)
    assert len(tickets(fake)) == 2
    assert len(fake.calls) == 3


def test_a_file_that_cannot_be_read_or_sent_is_an_outcome_that_names_the_field(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    inputs = [
        {"loras": [{"path": tmp_path / "missing"}]},
        {"x": b"bytes"},
        {"image": io.BytesIO(b"a"), "x": float("nan")},
        {"image": io.BytesIO(b"a")},
    ]
    for journal in (None, tmp_path / "j.jsonl"):
        *refused, whole = batch(ws, inputs, journal=journal)
        assert [str(outcome.error).split()[0] for outcome in refused] == ["loras[0].path", "x", "x"]
        assert all(isinstance(outcome.error, InvalidInputError) for outcome in refused)
        assert whole.error is None
    assert len(fake.calls) == 2


def test_an_upload_is_tried_again_after_a_temporary_error(ws: Driven, fake: FakeWaveSpeed) -> None:
    fake.refuse(503, on="storage", times=2)
    (outcome,) = batch(ws, [{"image": io.BytesIO(b"a")}])
    assert outcome.error is None
    assert len(tickets(fake)) == 3
    assert len(fake.calls) == 1


def test_an_upload_that_fails_is_an_outcome_and_the_next_run_repeats_it(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    fake.refuse(503, on="storage", times=4)
    (outcome,) = batch(ws, [{"image": io.BytesIO(b"a")}], journal=tmp_path / "j.jsonl")
    assert isinstance(outcome.error, ServerError)
    assert str(outcome.error).startswith("image could not be uploaded, so nothing was submitted: ")
    assert fake.calls == []
    (outcome,) = batch(ws, [{"image": io.BytesIO(b"a")}], journal=tmp_path / "j.jsonl")
    assert outcome.error is None
    assert len(fake.calls) == 1


def test_a_file_that_changes_under_a_journaled_input_is_not_sent(
    ws: Driven, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    class Changing(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size).replace(b"a", b"b" if self.reads > 5 else b"a")

    (outcome,) = batch(ws, [{"image": Changing(b"a")}], journal=tmp_path / "j.jsonl")
    assert isinstance(outcome.error, InvalidInputError)
    assert "was changed after its input was read" in str(outcome.error)
    assert fake.calls == []


def test_an_uncertain_outcome_of_an_earlier_run_holds_the_input_as_sent(
    connect: Connect, fake: FakeWaveSpeed, tmp_path: Path
) -> None:
    journal, given = tmp_path / "j.jsonl", {"prompt": "p", "image": io.BytesIO(b"a")}
    batch(connect(base_url=fake.url), [given], journal=journal)
    kept = [line for line in lines(journal) if line.get("event") not in ("submitted", "finished")]
    for without in ("", "uploaded"):
        journal.write_text("".join(json.dumps(line) + "\n" for line in kept if line.get("event") != without), "utf-8")
        (outcome,) = batch(connect(base_url=fake.url), [given], journal=journal)
        assert outcome.uncertain
        sent = fake.calls[0].input
        assert outcome.error.input == (sent if not without else {"prompt": "p"})
        assert outcome.input == given
        assert len(connect(base_url=fake.url).find_submissions(outcome.error)) == 1
    assert len(fake.calls) == 1


def test_leaving_the_loop_ends_uploads(ws: Driven, fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch) -> None:
    uploading, stopped = threading.Event(), threading.Event()
    stop = Batch.stop
    monkeypatch.setattr(Batch, "stop", lambda batch: (stop(batch), stopped.set())[0])

    class Slow(io.BytesIO):
        rewound = False

        def read(self, size: int | None = -1) -> bytes:
            if self.rewound:  # its digest was taken
                uploading.set()
                stopped.wait(60)
            return super().read(size)

        def seek(self, place: int, whence: int = 0) -> int:
            self.rewound = self.rewound or self.tell() > CHUNK
            return super().seek(place, whence)

    slow = Slow(bytes(3 * CHUNK))
    step, close = stepper(ws, MODEL, [{"image": slow}, {"prompt": "p"}])
    assert step().index == 1
    assert uploading.wait(60)
    close()
    assert slow.tell() == 0
    assert [call.input for call in fake.calls] == [{"prompt": "p"}]
    assert set(fake.files.values()) <= {b""}
