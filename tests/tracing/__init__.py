"""Use cases, on the databases on which they differ."""
