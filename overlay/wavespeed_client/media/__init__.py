"""Media: which kinds there are, and how outputs look in a notebook. Pure; it makes no request."""
