"""The HTTP API: status, shape, and who may do what."""
