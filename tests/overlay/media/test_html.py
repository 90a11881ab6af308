"""Tasks and outcomes in a notebook: their markup, and how a real browser shows it."""

import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.overlay.files.conftest import Storage
from tests.overlay.files.conftest import storage as storage
from tests.overlay.typed.models import PAINT, row
from wavespeed_client import InvalidInputError, ModelInfo, Outcome, Task, TaskFailedError
from wavespeed_client.catalogue.rows import Model
from wavespeed_client.media.html import MOST_CHARACTERS

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOUD = "document.title='loud'"
HOSTILE = [
    f"<script>{LOUD}</script>",
    f"</pre><img src=x onerror={LOUD}>",
    f"javascript:{LOUD}",
    "file:///etc/passwd",
    f"data:text/html,<script>{LOUD}</script>",
    "data:image/png;base64,iVBORw0KGgo=",
    f'https://e.invalid/1.png" onerror="{LOUD}',
    f"https://e.invalid/1.mp4'><script>{LOUD}</script>",
    f"http://e.invalid/{{url}}?<svg onload={LOUD}>",
    "http://[::1/1.png",
    f"\u202ejavascript:{LOUD}",
    {"</pre>": f"<script>{LOUD}</script>", "url": f"javascript:{LOUD}"},
]


class Markup(HTMLParser):
    """The elements of a text, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.elements if name == tag]


def shown(found: Any) -> Markup:
    return Markup(found._repr_html_())


def task(*outputs: Any, **fields: Any) -> Task:
    return Task(**{"id": "abc", "model": "a/b", "status": "completed", "outputs": outputs, **fields})


def test_media_are_shown_and_everything_on_the_web_is_linked() -> None:
    urls = [f"https://e.com/1{ending}" for ending in (".png", ".MP4", ".mp3", ".glb", ".tiff", "")]
    found = shown(task(*urls, "a cat", {"label": "cat"}))
    (image,), (video,), (audio,) = found.named("img"), found.named("video"), found.named("audio")
    assert (image["src"], image["loading"], image["referrerpolicy"]) == (urls[0], "lazy", "no-referrer")
    assert (video["src"], "controls" in video) == (urls[1], True)
    assert (audio["src"], "controls" in audio) == (urls[2], True)
    assert [(link["href"], link["rel"]) for link in found.named("a")] == [(url, "noopener noreferrer") for url in urls]
    assert len(found.named("pre")) == 2
    assert 'a cat{\n  "label": "cat"\n}' in found.text


@pytest.mark.parametrize(
    ("created_at", "kept"),
    [
        (MOMENT, "kept until2026-01-08 12:00 UTC"),
        (datetime(9999, 12, 31, tzinfo=UTC), "kept until"),
        (None, None),
    ],
)
def test_a_task_says_until_when_the_service_keeps_its_files(created_at: datetime | None, kept: str | None) -> None:
    text = shown(task("https://e.com/1.png", created_at=created_at)).text
    assert kept in text if kept else "kept until" not in text


def test_a_running_task_shows_its_status_and_a_failed_one_its_error() -> None:
    assert "statusprocessing" in shown(task(status="processing")).text
    assert "errorNo <cat>." in shown(task(status="failed", error="No <cat>.")).text


def test_long_texts_are_cut() -> None:
    text = task("x" * 1_000_000, {"a": "y" * 1_000_000})._repr_html_()
    assert len(text) < 3 * MOST_CHARACTERS
    assert "(1,000,000 characters)" in text


def test_an_outcome_shows_its_input_its_error_and_its_task() -> None:
    failed = task(status="failed", error="No cat.")
    outcome = Outcome(7, {"prompt": "<b>a cat</b>"}, failed, TaskFailedError("No <cat>.", task=failed))
    found = shown(outcome)
    for text in ("index7", '"prompt": "<b>a cat</b>"', "TaskFailedError: No <cat>.", "taskabc"):
        assert text in found.text
    assert "b" not in {tag for tag, _ in found.elements}
    odd: dict[str, Any] = {"at": object()}
    assert "object object" in shown(Outcome(0, odd, None, InvalidInputError("No."))).text
    odd["self"] = odd
    assert "{...}" in shown(Outcome(0, odd, None, InvalidInputError("No."))).text


def is_quiet(found: Markup) -> bool:
    """Return whether all elements are ours, and link only to the web."""
    attributes = [pair for _, given in found.elements for pair in given.items()]
    ours = {"html", "head", "meta", "title", "body", "table", "tbody", "tr", "th", "td", "div", "pre", "br"}
    return (
        {tag for tag, _ in found.elements} <= ours | {"a", "img", "video", "audio"}
        and not any(name.startswith("on") for name, _ in attributes)
        and all(value.startswith(("http://", "https://")) for name, value in attributes if name in ("src", "href"))
    )


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_stay_text(hostile: Any) -> None:
    assert is_quiet(shown(task(hostile)))
    text = str(hostile)
    assert is_quiet(shown(task(id=text, model=text, status=text, error=text)))
    assert is_quiet(shown(Outcome(0, hostile, task(hostile), InvalidInputError(text))))
    if not str(hostile).startswith("http"):
        assert not shown(task(hostile)).named("a")


def model(hostile: str) -> ModelInfo:
    """Return a model with hostile text in every field."""
    field = {"type": "string", "description": hostile, "default": hostile, "enum": [hostile], "pattern": hostile}
    return ModelInfo.of(Model.of(row("a/b", {"properties": {hostile: field}}, type=hostile)))


def test_a_model_is_shown_as_two_tables() -> None:
    found = shown(ModelInfo.of(Model.of(row("acme/paint", PAINT))))
    assert {tag for tag, _ in found.elements} == {"table", "tr", "th", "td"}
    assert found.text.startswith("modelacme/painttypetext-to-imagepricefrom 0.01 USDinputtypedefaultabout")
    assert "imagesarray (file)Items: string. At most 3 items." in found.text


@pytest.mark.parametrize("hostile", list(map(str, HOSTILE)), ids=range(len(HOSTILE)))
def test_hostile_words_of_a_model_stay_text(hostile: str) -> None:
    found = shown(model(hostile))
    assert is_quiet(found)
    assert {tag for tag, _ in found.elements} == {"table", "tr", "th", "td"}


def test_a_real_browser_shows_the_picture_and_runs_nothing(
    storage: Storage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if BROWSER is None:
        with capsys.disabled():
            print("chromium is not installed: looking at HTML in a browser is left out")
        return
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100"/></svg>'
    storage.typed["/typed/1.svg"] = ("image/svg+xml", svg)
    found = task(f"{storage.url}/typed/1.svg", *HOSTILE, created_at=MOMENT)
    outcome = Outcome(0, {"prompt": HOSTILE[0]}, found, InvalidInputError(str(HOSTILE[1])))
    assert storage.paths == []
    page = f"<!doctype html><meta charset=utf-8><title>quiet</title>{outcome._repr_html_()}"
    page += "".join(model(str(hostile))._repr_html_() for hostile in HOSTILE)
    (tmp_path / "page.html").write_text(page, "utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=4000"]
    command = [
        BROWSER,
        *flags,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    seen = Markup(done.stdout)
    assert "<title>quiet</title>" in done.stdout
    assert is_quiet(seen)
    assert seen.text.count(f"<script>{LOUD}</script>") > len(HOSTILE)
    assert storage.paths == ["/typed/1.svg"]
