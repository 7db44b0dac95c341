"""Pages by noun. Each calls the use cases of `tracing`, and shows what they give; none holds a rule."""
