"""What the service tells of its models and of an account: rows, lists, a model's input schema, and what it takes."""
