"""Tests: they mirror the four packages."""

import os

# The workers of xdist are given 80 columns, and a rich console keeps the width that it finds when it is made.
os.environ.pop("COLUMNS", None)
