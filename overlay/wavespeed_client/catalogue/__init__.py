"""Data of models and accounts: rows and lists of the service, input schemas, and descriptions of models."""
