"""Groups of the console command, one module each; `tracing.cli` puts them together."""
