"""Files in the inputs of a batch whose journal is in PostgreSQL: known by their digests, on any machine."""

from __future__ import annotations

import io

import psycopg
import pytest

from tests.conftest import Connect
from tests.overlay.batch.journals import MODEL
from tests.overlay.batch.postgres.counting import CountingService
from tests.overlay.batch.test_files import tickets
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("database-resume")


def test_a_later_run_uploads_nothing_that_the_service_has(
    connect: Connect, fake: FakeWaveSpeed, empty_database: str, name: str
) -> None:
    inputs = [{"n": number, "image": io.BytesIO(b"a")} for number in range(2)]
    for count in (1, 2, 2):
        found = connect(base_url=fake.url).run_many(MODEL, inputs[:count], journal=empty_database, batch=name)
        assert [outcome.error for outcome in found] == [None] * count
    assert len(tickets(fake)) == 1
    assert len(fake.calls) == 2
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("update wavespeed_upload set uploaded_at = uploaded_at - interval '6 d'")
    more = [*inputs, {"n": 2, "image": io.BytesIO(b"a")}]
    connect(base_url=fake.url).run_many(MODEL, more, journal=empty_database, batch=name)
    assert len(tickets(fake)) == 2
    with psycopg.connect(empty_database, autocommit=True) as connection:
        rows = connection.execute("select url, uploaded_at > now() - interval '1 h' from wavespeed_upload").fetchall()
    assert rows == [(fake.calls[-1].input["image"], True)]


@pytest.mark.parametrize("given", [{}, {"image": io.BytesIO(b"a")}])
def test_an_input_that_is_not_known_as_it_was_sent_adopts_no_task(
    connect: Connect, counting: CountingService, empty_database: str, name: str, given: dict[str, object]
) -> None:
    """Without its fields, or without those that held files, an input would match any task."""
    ws = connect(base_url=counting.url)
    ws.run_many(MODEL, [{"prompt": "A cat"}, given], journal=empty_database, batch=name)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(
            """update wavespeed_input set state = 'uncertain', attempt = 1, submitted_at = now() - interval '1 h'
               where input not like '%%cat%%' and batch = (select id from wavespeed_batch where name = %s)""",
            (name,),
        )
        connection.execute(
            "update wavespeed_input set task_id = null, task = null, state = 'planned' where input like %s", ("%cat%",)
        )
    found = {outcome.index: outcome for outcome in ws.run_many(MODEL, [given], journal=empty_database, batch=name)}
    assert found[0].uncertain
