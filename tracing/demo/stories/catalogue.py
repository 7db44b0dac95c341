"""Which stories there are, in the order in which they are played."""

from collections.abc import Callable
from dataclasses import dataclass

from tracing.demo.stories import qinzhou
from tracing.demo.stories.stage import Stage


@dataclass(frozen=True, slots=True)
class Story:
    """A story by its name on the command line."""

    name: str
    zh: str
    en: str
    play: Callable[[Stage], None]


STORIES = (
    Story(
        "qinzhou",
        "钦州：他不在了，又被找到，最后回家",
        "Qinzhou: a man is gone, is found, and goes home to another province",
        qinzhou.play,
    ),
)
