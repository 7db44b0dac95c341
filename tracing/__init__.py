"""What may happen: use cases, rules and plumbing. Knows no HTTP."""
