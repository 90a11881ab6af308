"""Batches on engines that spread work over machines, such as Ray Data and Dask, without paying twice.

An engine may execute work several times: when a worker is lost or slow, or when somebody inspects a dataset. `Generate`
may be executed any number of times, on any machine, because the journal in PostgreSQL has the state of each row. `Save`
writes the outputs to a folder or a bucket. Both are plain data and are pickled without a key or a password. They create
their clients where they are called, with the key of the worker's environment.

    rows        convert a row to an input and a name
    columns     convert an outcome to the columns of its row
    tables      read and write pyarrow tables
    client      a client for one partition of a batch
    generate    add tasks to rows
    folders     local and remote folders for outputs
    save        add saved files to rows
    loop        run a coroutine, whether or not the caller has an event loop
"""

from .generate import Generate as Generate
from .save import Save as Save

__all__ = ("Generate", "Save")
