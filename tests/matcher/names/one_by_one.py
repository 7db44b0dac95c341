"""Names one at a time, for what the matching does with many: the same figures, written plainly."""

from collections.abc import Sequence

import numpy as np

from matcher.names.channel import load_channel
from matcher.names.hearing import encode, heard_sounds, log10_lrs
from matcher.names.pairs import PreparedNames, StackedNames, lay_names


def heard_log10_lr(text: str, name: str, region: str | None = None) -> float | None:
    """log10 LR of hearing the text from somebody of this name, bounded; None when either has no Chinese reading."""
    names = encode([name])
    if not names.groups or not heard_sounds(text):
        return None
    listener = load_channel().listener
    return float(np.clip(log10_lrs(text, names, region)[0], listener.floor_log10, listener.cap_log10))


def stack_names(people: Sequence[PreparedNames]) -> StackedNames:
    """The names of many people in one row."""
    pieces = [[one.spoken for one in people], [one.written for one in people]]
    spoken, written = (
        (np.frombuffer(b"".join(each), np.int16), np.array([len(one) // 2 for one in each], np.int64))
        for each in pieces
    )
    return lay_names(people, spoken, written, np.frombuffer(b"".join([one.chances for one in people]), np.float64))
