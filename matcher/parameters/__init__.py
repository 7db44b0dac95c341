"""Parameter files: every number that a judgement rests on, with its source and a version."""
