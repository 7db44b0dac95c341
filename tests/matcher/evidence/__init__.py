"""Tests of `matcher.evidence`, one file a module."""
