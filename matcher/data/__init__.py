"""Reference tables as files, each with its source in its own header."""
