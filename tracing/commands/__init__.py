"""Groups of console commands, one a module; `tracing.cli` puts them together."""
