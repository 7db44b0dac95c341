"""Tests of `matcher.index`, one file a module."""
