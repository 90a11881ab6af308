"""Media types, and how tasks and models look in a notebook or a terminal. Pure: makes no request."""
