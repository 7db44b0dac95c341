"""The console's groups of commands, run as an operator runs them."""
