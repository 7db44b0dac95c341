"""The documents are tested against the code."""
