"""The HTTP API, one file a noun: each route parses, calls a use case, renders."""
