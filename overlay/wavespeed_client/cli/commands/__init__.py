"""The commands, one a file, each imported when called."""
