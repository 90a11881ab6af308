"""Addresses of databases in each form, and their passwords, which are never shown."""

from __future__ import annotations

import pickle
import traceback

import psycopg
import pytest

from wavespeed_client import ConfigurationError
from wavespeed_client.batch.postgres.address import Address

pytestmark = pytest.mark.promise("database-password")

PASSWORD = "-".join(["pass", "word"])  # a traceback also shows the source


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (f"postgresql://cat:{PASSWORD}@host:5433/cats", "postgresql://host:5433/cats"),
        (f"postgres://cat:{PASSWORD}%40%2F@host/cats?sslmode=require", "postgresql://host/cats"),
        (f"postgresql:///cats?host=/run/postgresql&password={PASSWORD}", "postgresql:///run/postgresql/cats"),
        (f"postgresql://cat:{PASSWORD}?{PASSWORD}@host/cats", "postgresql://host/cats"),
        ("env:JOURNAL", "env:JOURNAL"),
        ("env:SERVICE", "env:SERVICE"),
        ("service=cats", "service=cats"),
    ],
)
def test_each_form_of_an_address_is_read(monkeypatch: pytest.MonkeyPatch, given: str, shown: str) -> None:
    monkeypatch.setenv("JOURNAL", f" postgresql://cat:{PASSWORD}@host/cats ")
    monkeypatch.setenv("SERVICE", "service=cats")
    address = Address.read(given)
    assert address.shown == shown
    assert PASSWORD not in repr(address)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "host=here",
        f"mysql://cat:{PASSWORD}@host/cats",
        f"postgresql://cat:{PASSWORD}@word@host/cats",
        f"postgresql://cat:pass/{PASSWORD}@host/cats",
        f"postgresql://cat:{PASSWORD}%zz@host/cats",
        f"service=cats {PASSWORD}",
        f"host=here password={PASSWORD}",
        f"postgresql://cat:{PASSWORD}@host/cats?nonsense=1",
    ],
)
def test_an_invalid_address_is_refused_without_being_quoted(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("JOURNAL", given)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with pytest.raises(ConfigurationError, match="The environment variable JOURNAL") as caught:
        Address.read("env:JOURNAL")
    rendered = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame.locals for frame in rendered.stack if not frame.filename.endswith("test_address.py")]
    assert len(frames) == 1
    assert PASSWORD not in "".join([*rendered.format_exception_only(), repr(frames)])
    assert caught.value.__context__ is None


def test_a_variable_without_a_name_is_no_address() -> None:
    with pytest.raises(ConfigurationError, match="The journal is not the address of a database"):
        Address.read("env:")


def test_an_address_is_not_pickled() -> None:
    with pytest.raises(ConfigurationError, match="pass env:NAME"):
        pickle.dumps(Address.read(f"postgresql://cat:{PASSWORD}@host/cats"))


def test_a_connection_has_our_settings(postgres: str) -> None:
    with Address.read(postgres).connect() as connection:
        assert connection.execute("show application_name").fetchone() == ("wavespeed-client",)
        assert connection.info.get_parameters()["keepalives_idle"] == "30"


def test_parameters_of_the_url_override_our_settings(postgres: str) -> None:
    with Address.read(f"{postgres}&application_name=cats&connect_timeout=3").connect() as connection:
        assert connection.execute("show application_name").fetchone() == ("cats",)
        assert connection.info.get_parameters()["connect_timeout"] == "3"


def test_a_service_is_read_by_libpq(monkeypatch: pytest.MonkeyPatch, tmp_path, postgres: str) -> None:
    parts = "\n".join(f"{name}={value}" for name, value in psycopg.conninfo.conninfo_to_dict(postgres).items())
    (tmp_path / "services").write_text(f"[cats]\n{parts}\napplication_name=cats\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with Address.read("service=cats").connect() as connection:
        assert connection.execute("show application_name").fetchone() == ("cats",)
