"""The measurements are measured."""
