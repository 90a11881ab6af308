"""The stand-in's page in a real browser: what a person sees, and what the browser must not do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from wavespeed_client import RateLimitError, SubmissionUncertainError
from wavespeed_client.testing import FakeWaveSpeed

MODEL = "wavespeed-ai/flux-dev"
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>'


@pytest.fixture
def page(browser: Any, fake: FakeWaveSpeed) -> Iterator[Page]:
    """The stand-in's page. No script of it fails, and nothing is fetched from elsewhere."""
    context = browser.new_context()
    page = context.new_page()
    urls: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{fake.url}/_stand-in/")
    yield page
    context.close()
    assert broken == []
    assert [url for url in urls if not url.startswith(f"{fake.url}/_stand-in/")] == []


def test_new_things_appear_by_themselves(page: Page, fake: FakeWaveSpeed) -> None:
    expect(page.locator("#tasks")).to_have_text("None yet.")
    with fake.client() as ws:
        task = ws.run(MODEL, {"prompt": "a harbour"})
    item = page.locator("#tasks li").filter(has_text=task.id)
    expect(item).to_contain_text("completed")
    expect(item).to_contain_text("a harbour")
    picture = item.locator("img")
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_have_js_property("naturalWidth", 16)
    expect(page.locator("#requests li")).to_have_count(len(fake.requests))
    assert all(request.path.startswith("/api/") for request in fake.requests)


def test_violations_and_webhook_calls_are_shown(page: Page, fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:
        ws.submit(MODEL, {"prompt": "a cat"}, webhook="https://example.com/hook")
    fake.violations.append("POST /somewhere: prompt is missing")
    expect(page.locator("#violations li")).to_have_text("POST /somewhere: prompt is missing")
    expect(page.locator("#deliveries li")).to_contain_text("https://example.com/hook")
    expect(page).to_have_title("(1) Stand-in")
    fake.violations.clear()
    expect(page).to_have_title("Stand-in")


def test_hostile_text_stays_text(page: Page, fake: FakeWaveSpeed) -> None:
    odd = [
        "javascript:document.title=1",
        "https://example.com/a.png",
        "data:text/html,<script>1</script>",
        {"a": HOSTILE},
    ]
    fake.script("a/b", "completed", outputs=odd)
    fake.fail("a/c", error=HOSTILE)
    with fake.client() as ws:
        for model in ("a/b", "a/c", MODEL):
            task = ws.submit(model, {"prompt": HOSTILE})
            ws.get(task)
    fake.violations.append(HOSTILE)
    expect(page.locator("#violations li")).to_have_text(HOSTILE)
    expect(page.locator("#tasks li")).to_have_count(3)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("script").count() == 1
    assert page.locator("a, iframe, object, video").count() == 0
    expect(page).to_have_title("(1) Stand-in")
    fake.violations.clear()


def test_the_buttons_work_by_keyboard_alone(page: Page, fake: FakeWaveSpeed) -> None:
    page.locator("#on").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The next submit request will be refused with 429.")
    with fake.client() as ws, pytest.raises(RateLimitError):
        ws.run(MODEL, {"prompt": "a cat"}, timeout=0)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text("dropped")
    with fake.client() as ws, pytest.raises(SubmissionUncertainError):
        ws.submit(MODEL, {"prompt": "a cat"})
    expect(page.locator("#tasks li").filter(has_text="created")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#tasks")).to_have_text("None yet.")
    assert (fake.requests, fake.tasks) == ([], [])


def test_an_unfolded_entry_stays_unfolded_when_new_ones_come(page: Page, fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:
        ws.submit(MODEL, {"prompt": "first"})
        page.locator("#tasks summary").click()
        ws.submit(MODEL, {"prompt": "second"})
    expect(page.locator("#tasks li")).to_have_count(2)
    expect(page.locator("#tasks details[open]")).to_have_count(1)


def test_a_new_entry_takes_no_focus_away(page: Page, fake: FakeWaveSpeed) -> None:
    with fake.client() as ws:
        ws.submit(MODEL, {"prompt": "first"})
        summary = page.locator("#tasks summary")
        summary.focus()
        ws.submit(MODEL, {"prompt": "second"})
        expect(page.locator("#tasks li")).to_have_count(2)
        expect(page.locator("#tasks li").first).to_contain_text("second")
    expect(page.locator("#tasks summary").last).to_be_focused()


def test_a_wrong_number_is_reported(page: Page) -> None:
    page.get_by_label("Times").fill("0")
    page.get_by_role("button", name="Drop").click()
    expect(page.get_by_role("status")).to_have_text("drop: times must be a whole number, 1 or more, not 0.")


def test_the_page_says_that_the_stand_in_has_ended_and_finds_it_again(browser: Any) -> None:
    with FakeWaveSpeed() as own:
        page = browser.new_page()
        page.goto(f"{own.url}/_stand-in/")
        expect(page.locator("#tasks")).to_have_text("None yet.")
        own.port = int(own.url.rpartition(":")[2])
        own.stop()
        expect(page.get_by_role("status")).to_contain_text("does not respond")
        own.start()
        expect(page.get_by_role("status")).to_have_text("The stand-in responds again.")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_can_be_read(page: Page, fake: FakeWaveSpeed, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 375, "height": 700})
    with fake.client() as ws:
        ws.run(MODEL, {"prompt": "a" * 500})
    expect(page.locator("#tasks li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert _contrast(page, "#tasks li .soft") >= 4.5
    assert _contrast(page, "#tasks li .good") >= 4.5


def _contrast(page: Page, selector: str) -> float:
    """Return the ratio of an element's text to its section's background, as WCAG 2 counts it."""
    script = "(e) => [getComputedStyle(e).color, getComputedStyle(e.closest('section')).backgroundColor]"
    colors = page.locator(selector).first.evaluate(script)
    one, other = sorted((_luminance(color) for color in colors), reverse=True)
    return (one + 0.05) / (other + 0.05)


def _luminance(color: str) -> float:
    channels = [int(part) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_page_shows_the_last_two_hundred_requests(page: Page, fake: FakeWaveSpeed) -> None:
    def send() -> None:
        with fake.client() as ws:
            for _ in range(51):
                ws.balance()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(page.locator("#requests li")).to_have_count(200)
    assert len(fake.requests) == 204
