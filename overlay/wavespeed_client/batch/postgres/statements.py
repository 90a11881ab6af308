"""The SQL statements of the journal in PostgreSQL. Each is one transaction, so they also work through a pooler.

A row of `wavespeed_input` is an input. `state` is its last event, and `attempt` counts its submissions. A submission is
sent only with an attempt number that `claim` returned, and `claim` returns each number once. Claims do not expire. The
result of an attempt is recorded only if it is the row's last attempt, and a known task never becomes uncertain again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from attrs import frozen

from ...errors import InvalidInputError
from ...files.register import KEPT, Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import LiteralString

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

VERSION = 1

SCHEMA = """
create table if not exists wavespeed_batch (
  id bigint generated always as identity primary key,
  name text not null unique, base_url text not null, version int not null
);
create table if not exists wavespeed_input (
  batch bigint not null references wavespeed_batch, key bytea not null,
  state text not null default 'planned' check (state in
    ('planned', 'submitting', 'submitted', 'refused', 'uncertain', 'finished', 'failed')),
  attempt int not null default 0, owner text,
  changed_at timestamptz not null default clock_timestamp(), submitted_at timestamptz, cost float8,
  task_id text, model text not null, input text not null, task text, error text,
  primary key (batch, key),
  check (state not in ('submitted', 'finished', 'failed') or (task_id is not null and task is not null))
) with (fillfactor = 70);
create table if not exists wavespeed_upload (
  batch bigint not null references wavespeed_batch, digest text not null,
  url text not null, uploaded_at timestamptz not null, primary key (batch, digest)
);
create unique index if not exists wavespeed_input_task on wavespeed_input (task_id) where task_id is not null;
"""
# With a lock, because runs that create the same tables at once would fail in the system's catalogue.
CREATE = f"select pg_advisory_xact_lock(hashtextextended('wavespeed_batch', 0)); {SCHEMA}"

# Waits for the disk even if the database is configured not to: a lost claim could be paid for twice.
DURABLE = "durable as materialized (select set_config('synchronous_commit', 'on', true))"

LOCK = "select pg_try_advisory_lock(hashtextextended('wavespeed_batch', %s))"

LOOK = """
select key, state, attempt, extract(epoch from clock_timestamp() - changed_at)::float8,
       extract(epoch from clock_timestamp() - submitted_at)::float8, task, error, cost
from wavespeed_input where batch = %(batch)s and key = any(%(keys)b)
"""

# Neither part returns a row that another run inserts at the same moment. The caller looks such rows up afterwards.
MEET = f"""
with known as materialized ({LOOK}), new as (
  insert into wavespeed_input (batch, key, model, input)
  select %(batch)s, key, model, input
  from unnest(%(keys)b::bytea[], %(models)b::text[], %(inputs)b::text[]) as given (key, model, input)
  where key not in (select key from known)
  order by key on conflict do nothing returning key, state, attempt)
select * from known union all select key, state, attempt, 0, null, null, null, null from new
"""

# Keys are passed as arrays, so that the planner uses the index for any number of rows and any statistics.
CLAIM = f"""
with {DURABLE}, free as materialized (
  select key from wavespeed_input
  where batch = %(batch)s and key = any(%(keys)b)
    and (state in ('planned', 'refused') or (state = 'submitting' and owner = any(%(lost)b::text[])))
  order by key for update skip locked)
update wavespeed_input as input
set state = 'submitting', attempt = input.attempt + 1, owner = %(owner)s, error = null, cost = given.cost,
    changed_at = clock_timestamp(), submitted_at = clock_timestamp()
from durable, unnest(%(keys)b::bytea[], %(costs)b::float8[]) as given (key, cost)
where input.batch = %(batch)s and input.key = any(array(select key from free)) and input.key = given.key
returning input.key, input.attempt
"""

# A known task replaces every state except an end; a refusal replaces an uncertain state; an uncertain state replaces
# only a claim.
TOLD = """
input.batch = %(batch)s and input.key = any(%(keys)b) and input.key = given.key and input.attempt = given.attempt and (
  input.state not in ('finished', 'failed') and given.state in ('submitted', 'finished', 'failed')
  or input.state in ('submitting', 'uncertain') and given.state = 'refused'
  or input.state = 'submitting' and given.state = 'uncertain')
"""
RECORD = f"""
with {DURABLE}, given as materialized (
  select * from unnest(%(keys)b::bytea[], %(attempts)b::int[], %(states)b::text[], %(ids)b::text[], %(tasks)b::text[],
    %(errors)b::text[]) as given (key, attempt, state, task_id, task, error)),
mine as materialized (
  select input.key from wavespeed_input as input, given where {TOLD} order by input.key for update of input)
update wavespeed_input as input
set state = given.state, task_id = coalesce(given.task_id, input.task_id), task = coalesce(given.task, input.task),
    error = given.error, changed_at = clock_timestamp()
from given, durable where given.key = any(array(select key from mine)) and {TOLD}
returning input.key
"""

# Tasks of other inputs do not count.
ADOPT = f"""
with {DURABLE}, found as materialized (
  select id, task from unnest(%(ids)b::text[], %(tasks)b::text[]) as found (id, task)
  where id <> all(array(select task_id from wavespeed_input where task_id = any(%(ids)b))))
update wavespeed_input as input
set state = 'submitted', task_id = found.id, task = found.task, error = null, changed_at = clock_timestamp()
from found, durable
where input.batch = %(batch)s and input.key = %(key)s and input.attempt = %(attempt)s
  and input.state in ('submitting', 'uncertain')
  and (select count(*) from found) = 1
"""

SPENT = """
select cost from wavespeed_input
where batch = %s and cost is not null and state in ('finished', 'submitted', 'uncertain', 'submitting')
"""

RECALL = """
select digest, url, uploaded_at from wavespeed_upload
where batch = %s and digest = any(%b) and clock_timestamp() - uploaded_at < %s
"""

KEEP = """
insert into wavespeed_upload (batch, digest, url, uploaded_at) values (%s, %s, %s, %s)
on conflict (batch, digest) do update set url = excluded.url, uploaded_at = excluded.uploaded_at
where excluded.uploaded_at > wavespeed_upload.uploaded_at
"""

PAY_AGAIN = """
update wavespeed_input set state = 'planned', changed_at = clock_timestamp() where batch = %s and state = any(%s)
"""


class BusyError(psycopg.OperationalError):
    """Another run uses the batch. If that run has just died, the batch becomes free in a moment."""


@frozen
class Row:
    """A row of `wavespeed_input`.

    Attributes:
        state: The last event.
        attempt: How often the input was claimed.
        age: Seconds since the last event, by the database's clock.
        submitted_ago: Seconds since the last claim, by the same clock.
        task: The task, as JSON from the service.
        error: Why the input was refused or is uncertain.
        cost: The price quoted for the last attempt, in USD.
    """

    state: str
    attempt: int
    age: float
    submitted_ago: float | None = None
    task: str | None = None
    error: str | None = None
    cost: float | None = None


@frozen
class Result:
    """The result of an attempt.

    Attributes:
        attempt: The attempt's number.
        state: The row's new state.
        task_id: The id of the task that was started.
        task: The task, or its known part, as JSON.
        error: Why there is no task.
    """

    attempt: int
    state: str
    task_id: str | None = None
    task: str | None = None
    error: str | None = None


def create(connection: Connection) -> None:
    """Create the tables if they do not exist. Several runs may do so at the same time.

    Raises:
        InvalidInputError: The database's encoding cannot hold every text.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise InvalidInputError(f"A journal needs a database with the encoding UTF8; this one has {encoding}.")
    query = "select to_regclass('wavespeed_input_task'), to_regclass('wavespeed_upload')"
    found = connection.execute(query).fetchone()
    if found is None or None in found:
        connection.execute(CREATE)


def register(connection: Connection, name: str, base_url: str) -> int:
    """Return the number of the batch with this name; create the batch if it does not exist.

    Raises:
        InvalidInputError: The batch is for another base URL, or from another version of this package.
    """
    connection.execute(
        "insert into wavespeed_batch (name, base_url, version) values (%s, %s, %s) on conflict do nothing",
        (name, base_url, VERSION),
    )
    query = "select id, base_url, version from wavespeed_batch where name = %s"
    batch, found, version = connection.execute(query, (name,)).fetchall()[0]
    if version != VERSION:
        raise InvalidInputError(
            f"The batch {name!r} has the format {version}, and this version of wavespeed-client needs {VERSION}: "
            "use the version that created the batch."
        )
    if found != base_url:
        raise InvalidInputError(
            f"The batch {name!r} is for {found!r}, but this client is for {base_url!r}. If these are different "
            "services, use another name: every input is then submitted again. If they are the same, change base_url "
            "in wavespeed_batch."
        )
    return int(batch)


def lock(connection: Connection, batch: int) -> None:
    """Lock a batch for this connection, until the connection ends.

    Raises:
        BusyError: Another connection has the lock.
    """
    if not connection.execute(LOCK, (batch,)).fetchall()[0][0]:
        raise BusyError("another run uses the batch: wait for its end, or use another name")


def meet(connection: Connection, batch: int, inputs: Mapping[bytes, tuple[str, str]]) -> dict[bytes, Row]:
    """Record inputs that are new, each with its model and JSON. Return the rows of all of them.

    An input that another run records at the same moment has no row in the result.
    """
    models, texts = [model for model, _ in inputs.values()], [text for _, text in inputs.values()]
    given = {"batch": batch, "keys": list(inputs), "models": models, "inputs": texts}
    return _rows(connection, MEET, given)


def look(connection: Connection, batch: int, keys: Sequence[bytes]) -> dict[bytes, Row]:
    """Return the rows of these inputs, without those that are not recorded."""
    return _rows(connection, LOOK, {"batch": batch, "keys": keys})


def _rows(connection: Connection, query: LiteralString, given: Mapping[str, object]) -> dict[bytes, Row]:
    return {bytes(key): Row(*rest) for key, *rest in connection.execute(query, given)}


def claim(
    connection: Connection, batch: int, costs: Mapping[bytes, float | None], owner: str, lost: Sequence[str] = ()
) -> dict[bytes, int]:
    """Claim inputs for submission. Return the attempt number of each input that was claimed.

    Args:
        connection: The connection.
        batch: The batch's number.
        costs: The price quoted for each input, in USD, by the input's key.
        owner: A name that no other claim was made with.
        lost: Names of earlier claims of this run whose results are unknown. They may be taken over.
    """
    quoted = list(costs.values())
    given = {"batch": batch, "keys": list(costs), "owner": owner, "lost": list(lost), "costs": quoted}
    return {bytes(key): attempt for key, attempt in connection.execute(CLAIM, given)}


def record(connection: Connection, batch: int, results: Mapping[bytes, Result]) -> set[bytes]:
    """Record the results of attempts. Return the keys for which they were recorded.

    If another input has the task already, the input becomes uncertain instead.
    """
    try:
        return _write_results(connection, batch, results)
    except psycopg.errors.UniqueViolation:
        if len(results) > 1:
            return {key for key, one in results.items() if record(connection, batch, {key: one})}
        [(key, one)] = results.items()
        error = f"the service returned the task {one.task_id}, which another input has"
        _write_results(connection, batch, {key: Result(one.attempt, "uncertain", error=error)})
        return set()


def _write_results(connection: Connection, batch: int, results: Mapping[bytes, Result]) -> set[bytes]:
    rows = list(results.values())
    given = {
        "batch": batch,
        "keys": list(results),
        "attempts": [row.attempt for row in rows],
        "states": [row.state for row in rows],
        "ids": [row.task_id for row in rows],
        "tasks": [row.task for row in rows],
        "errors": [row.error and storable(row.error) for row in rows],
    }
    return {bytes(key) for (key,) in connection.execute(RECORD, given)}


def adopt(connection: Connection, batch: int, key: bytes, attempt: int, tasks: Mapping[str, str]) -> bool:
    """Give an uncertain input the only task that it can have started. Return whether there was exactly one.

    Args:
        connection: The connection.
        batch: The batch's number.
        key: The input's key.
        attempt: The attempt without a response.
        tasks: The tasks that were found, as JSON by id.
    """
    given = {"batch": batch, "key": key, "attempt": attempt, "ids": list(tasks), "tasks": list(tasks.values())}
    try:
        return connection.execute(ADOPT, given).rowcount == 1
    except psycopg.errors.UniqueViolation:  # another has adopted it at the same moment
        return False


def spent(connection: Connection, batch: int) -> list[float]:
    """Return the price quoted for each task that was, will be or may be billed, in USD."""
    return [float(cost) for (cost,) in connection.execute(SPENT, (batch,))]


def recall(connection: Connection, batch: int, digests: Sequence[str]) -> list[Upload]:
    """Return the uploads of these contents that the service still keeps."""
    return [Upload(*row) for row in connection.execute(RECALL, (batch, digests, KEPT))]


def keep(connection: Connection, batch: int, uploads: Iterable[Upload]) -> None:
    """Record uploads. The latest upload of each content counts."""
    given = [(batch, upload.digest, upload.url, upload.at) for upload in uploads]
    with connection.cursor() as cursor:
        cursor.executemany(KEEP, given)


def pay_again(connection: Connection, name: str, states: Sequence[str]) -> int | None:
    """Let the inputs in these states be submitted, and paid for, once more.

    Return the number of inputs; None if there is no such batch.
    """
    batch = connection.execute("select id from wavespeed_batch where name = %s", (name,)).fetchone()
    return None if batch is None else connection.execute(PAY_AGAIN, (*batch, states)).rowcount


def storable(text: str) -> str:
    """Escape the characters of a text that PostgreSQL cannot store."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
