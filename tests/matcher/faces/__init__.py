"""Tests of `matcher.faces`, one file a module."""
