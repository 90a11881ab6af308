"""The statements of a journal in PostgreSQL. Each commits by itself, so a pooler between may hand out connections.

A row of `wavespeed_input` is an input; `state` says what became of it, `attempt` counts its submissions, and a
submission leaves only with an attempt's number that `claim` has returned, which no other can have. No claim expires.
What is told later of an attempt is written only while the attempt is the row's last, and never turns a task into doubt.
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
# Several that begin at once would meet within the system's catalogue.
CREATE = f"select pg_advisory_xact_lock(hashtextextended('wavespeed_batch', 0)); {SCHEMA}"

# A database may be told not to wait for its disk: a claim that is forgotten would be paid for twice.
DURABLE = "durable as materialized (select set_config('synchronous_commit', 'on', true))"

LOCK = "select pg_try_advisory_lock(hashtextextended('wavespeed_batch', %s))"

LOOK = """
select key, state, attempt, extract(epoch from clock_timestamp() - changed_at)::float8,
       extract(epoch from clock_timestamp() - submitted_at)::float8, task, error, cost
from wavespeed_input where batch = %(batch)s and key = any(%(keys)b)
"""

# A row that another run writes at the same moment is told of by neither part: it is to be looked at then.
MEET = f"""
with known as materialized ({LOOK}), new as (
  insert into wavespeed_input (batch, key, model, input)
  select %(batch)s, key, model, input
  from unnest(%(keys)b::bytea[], %(models)b::text[], %(inputs)b::text[]) as given (key, model, input)
  where key not in (select key from known)
  order by key on conflict do nothing returning key, state, attempt)
select * from known union all select key, state, attempt, 0, null, null, null, null from new
"""

# Keys stand in arrays, by which rows are found through the index however many there are, and whatever statistics say.
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

# What is known of a task goes over everything but an end, a refusal over doubt, and doubt over nothing.
TOLD = """
input.batch = %(batch)s and input.key = any(%(keys)b) and input.key = given.key and input.attempt = given.attempt and (
  input.state not in ('finished', 'failed') and given.state in ('submitted', 'finished', 'failed')
  or input.state in ('submitting', 'uncertain') and given.state = 'refused'
  or input.state = 'submitting' and given.state = 'uncertain')
"""
TELL = f"""
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

# Tasks that other inputs have are none of this one's.
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
    """Another run has the batch. A run that has just died may have it for a moment, so this may pass."""


@frozen
class Row:
    """What the journal knows of an input.

    Attributes:
        state: What became of it last.
        attempt: How often it was claimed.
        age: Seconds since that, by the database's clock.
        submitted_ago: Seconds since it was claimed last, by the same clock.
        task: The task as the service told it, as JSON.
        error: Why it was refused, or why it is uncertain.
        cost: What was quoted for its last attempt, in USD.
    """

    state: str
    attempt: int
    age: float
    submitted_ago: float | None = None
    task: str | None = None
    error: str | None = None
    cost: float | None = None


@frozen
class Told:
    """What became of an attempt.

    Attributes:
        attempt: Its number.
        state: The row's new state.
        task_id: The task that was started.
        task: It, or what is known of it, as JSON.
        error: Why there is none.
    """

    attempt: int
    state: str
    task_id: str | None = None
    task: str | None = None
    error: str | None = None


def create(connection: Connection) -> None:
    """Make the tables if there are none. Several runs may do so at the same time.

    Raises:
        InvalidInputError: The database cannot hold every text.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise InvalidInputError(f"A journal needs a database whose encoding is UTF8; that of this one is {encoding}.")
    query = "select to_regclass('wavespeed_input_task'), to_regclass('wavespeed_upload')"
    found = connection.execute(query).fetchone()
    if found is None or None in found:
        connection.execute(CREATE)


def register(connection: Connection, name: str, base_url: str) -> int:
    """Return the number of the batch with this name, which is made if there is none.

    Raises:
        InvalidInputError: Its tasks are at another base URL, or a later version of this package has made it.
    """
    connection.execute(
        "insert into wavespeed_batch (name, base_url, version) values (%s, %s, %s) on conflict do nothing",
        (name, base_url, VERSION),
    )
    query = "select id, base_url, version from wavespeed_batch where name = %s"
    batch, found, version = connection.execute(query, (name,)).fetchall()[0]
    if version != VERSION:
        raise InvalidInputError(f"The batch {name!r} is of another version of this package ({version}): use that.")
    if found != base_url:
        raise InvalidInputError(
            f"The tasks of the batch {name!r} are at {found!r}, and this client is for {base_url!r}. If that is "
            "another service, use another name, which submits every input anew; if it is the same one, change "
            "base_url in wavespeed_batch."
        )
    return int(batch)


def lock(connection: Connection, batch: int) -> None:
    """Take a batch for this connection alone, as long as it lasts.

    Raises:
        BusyError: Another connection has it.
    """
    if not connection.execute(LOCK, (batch,)).fetchall()[0][0]:
        raise BusyError("the batch is in use: each run needs one of its own")


def meet(connection: Connection, batch: int, inputs: Mapping[bytes, tuple[str, str]]) -> dict[bytes, Row]:
    """Write down the inputs that are new, each with its model and JSON. Return what is known of all of them.

    Nothing is returned of an input that another run has written down at the same moment.
    """
    models, texts = [model for model, _ in inputs.values()], [text for _, text in inputs.values()]
    given = {"batch": batch, "keys": list(inputs), "models": models, "inputs": texts}
    return _rows(connection, MEET, given)


def look(connection: Connection, batch: int, keys: Sequence[bytes]) -> dict[bytes, Row]:
    """Return what is known of these inputs; nothing of those that are not there."""
    return _rows(connection, LOOK, {"batch": batch, "keys": keys})


def _rows(connection: Connection, query: LiteralString, given: Mapping[str, object]) -> dict[bytes, Row]:
    return {bytes(key): Row(*rest) for key, *rest in connection.execute(query, given)}


def claim(
    connection: Connection,
    batch: int,
    keys: Sequence[bytes],
    owner: str,
    lost: Sequence[str] = (),
    costs: Sequence[float | None] | None = None,
) -> dict[bytes, int]:
    """Take inputs in order to submit them. Return the attempt's number for each that is this owner's now.

    Args:
        connection: Where.
        batch: The batch's number.
        keys: The inputs.
        owner: Who claims them: a name that nothing else was claimed by.
        lost: Names by which they may have been claimed for the same purpose, without a response.
        costs: What was quoted for each, in USD.
    """
    quoted = [None] * len(keys) if costs is None else list(costs)
    given = {"batch": batch, "keys": keys, "owner": owner, "lost": list(lost), "costs": quoted}
    return {bytes(key): attempt for key, attempt in connection.execute(CLAIM, given)}


def tell(connection: Connection, batch: int, told: Mapping[bytes, Told]) -> set[bytes]:
    """Write down what became of attempts. Return the inputs for which it is written now.

    An input whose task another input has is uncertain instead.
    """
    try:
        return _tell(connection, batch, told)
    except psycopg.errors.UniqueViolation:
        if len(told) > 1:
            return {key for key, one in told.items() if tell(connection, batch, {key: one})}
        [(key, one)] = told.items()
        error = f"the service named the task {one.task_id}, which another input has"
        _tell(connection, batch, {key: Told(one.attempt, "uncertain", error=error)})
        return set()


def _tell(connection: Connection, batch: int, told: Mapping[bytes, Told]) -> set[bytes]:
    rows = list(told.values())
    given = {
        "batch": batch,
        "keys": list(told),
        "attempts": [row.attempt for row in rows],
        "states": [row.state for row in rows],
        "ids": [row.task_id for row in rows],
        "tasks": [row.task for row in rows],
        "errors": [row.error and storable(row.error) for row in rows],
    }
    return {bytes(key) for (key,) in connection.execute(TELL, given)}


def adopt(connection: Connection, batch: int, key: bytes, attempt: int, tasks: Mapping[str, str]) -> bool:
    """Give an input without a response the one task that it can have started; tell whether there was one.

    Args:
        connection: Where.
        batch: The batch's number.
        key: The input.
        attempt: The attempt that has no response.
        tasks: The tasks that were found, by their ids, as JSON.
    """
    given = {"batch": batch, "key": key, "attempt": attempt, "ids": list(tasks), "tasks": list(tasks.values())}
    try:
        return connection.execute(ADOPT, given).rowcount == 1
    except psycopg.errors.UniqueViolation:  # another has adopted it at the same moment
        return False


def spent(connection: Connection, batch: int) -> list[float]:
    """Return what was quoted for each task that was, will be or may be billed, in USD."""
    return [float(cost) for (cost,) in connection.execute(SPENT, (batch,))]


def recall(connection: Connection, batch: int, digests: Sequence[str]) -> list[Upload]:
    """Return those uploads of these contents that the service still keeps."""
    return [Upload(*row) for row in connection.execute(RECALL, (batch, digests, KEPT))]


def keep(connection: Connection, batch: int, uploads: Iterable[Upload]) -> None:
    """Write down uploads. The latest one of a content counts."""
    given = [(batch, upload.digest, upload.url, upload.at) for upload in uploads]
    with connection.cursor() as cursor:
        cursor.executemany(KEEP, given)


def pay_again(connection: Connection, name: str, states: Sequence[str]) -> int | None:
    """Let the inputs in these states be submitted, and paid for, once more.

    Return how many there are; None if there is no such batch.
    """
    batch = connection.execute("select id from wavespeed_batch where name = %s", (name,)).fetchone()
    return None if batch is None else connection.execute(PAY_AGAIN, (*batch, states)).rowcount


def storable(text: str) -> str:
    """Return a text as PostgreSQL takes it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
