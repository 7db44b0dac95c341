"""Stored classes, their constraints and the triggers of the migrations."""
