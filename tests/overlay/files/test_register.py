"""Which uploads are used again, and for how long."""

from datetime import UTC, datetime, timedelta

from wavespeed_client.files.register import KEPT, Register, Upload

THEN = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def upload(digest: str) -> Upload:
    return Upload(digest, f"https://e.com/{digest}", THEN)


def test_an_upload_is_forgotten_before_the_service_deletes_it() -> None:
    register = Register()
    register.keep(upload("a"))
    assert register.find("a", THEN + KEPT - SECOND) == upload("a")
    assert register.find("b", THEN) is None
    assert register.find("a", THEN + KEPT) is None
    assert register.find("a", THEN + SECOND) is None
    assert timedelta(days=5) < KEPT < timedelta(days=7)
    register.keep(upload("a"))
    assert register.find("a", THEN - SECOND) is None  # the clock was set back


def test_the_least_recently_used_uploads_are_forgotten_first() -> None:
    register = Register(most=2)
    for name in ("a", "b"):
        register.keep(upload(name))
    assert register.find("a", THEN)
    register.keep(upload("c"))
    assert [register.find(name, THEN) for name in ("a", "b", "c")] == [upload("a"), None, upload("c")]
