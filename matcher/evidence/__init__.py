"""One comparator a file, each pure: (probe, other) gives one term of evidence, or None when it says nothing."""
