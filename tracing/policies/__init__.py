"""Policies (政策参数) as data: JSON files by jurisdiction, each with its version and sources."""
