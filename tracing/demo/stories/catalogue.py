"""Which stories there are, in the order in which they are played."""

from collections.abc import Callable
from dataclasses import dataclass

from tracing.demo.stories import kidney, lost_wallet, qinzhou
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
    Story(
        "lost-wallet",
        "钱包手机丢失：身份明确，短期救助，两天后离站",
        "A lost wallet: the identity is known, a short stay, gone after two days",
        lost_wallet.play,
    ),
    Story(
        "kidney",
        "肾衰竭：身份明确，绿色通道送医，转介家乡低保",
        "Kidney failure: known identity, the green channel, his home district's benefits",
        kidney.play,
    ),
)
