"""Uploads, downloads and saved outputs. Storage hosts get neither the API key nor cookies."""
