"""Tests of `matcher.linkage`, one file a module."""
