"""The journal of a batch in PostgreSQL: it outlives the machine, and several machines may share it."""
