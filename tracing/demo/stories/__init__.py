"""The stories (故事) that the product must carry from end to end, each through the HTTP API alone."""
