"""Batches on engines that spread work over machines, such as Ray Data and Dask, without paying twice.

An engine executes work again when a worker is lost or slow, or when somebody looks at a dataset. `Generate` may be
executed any number of times, on any machine: what counts is what the journal in PostgreSQL has of each row. `Save`
brings the outputs to a folder or a bucket. Both are plain data and are pickled without a key or a password. They build
what they need where they are called; the key is that of the worker's environment.

    rows        what of a row is sent, and what it is known by
    columns     what is told of a row
    tables      the same in tables of pyarrow
    client      a client whose batches share their journal
    generate    rows in, rows with tasks out
    folders     where outputs go: a folder, or what fsspec reaches
    save        rows with tasks in, rows with saved files out
    loop        an event loop for a caller that may have one
"""

from .generate import Generate as Generate
from .save import Save as Save

__all__ = ("Generate", "Save")
