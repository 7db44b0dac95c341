"""Tests of `matcher.names`, one file a module."""
