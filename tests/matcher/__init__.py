"""Tests of `matcher`, one file a module."""
