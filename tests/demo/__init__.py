"""Tests of the demonstration and the command line."""
