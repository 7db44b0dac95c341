"""Who tells a story: the steps, their details, and what was refused, in both languages."""

from rich.console import Console

from tracing.demo.client import Unexpected


class Narrator:
    """Prints the steps, numbered, and what is refused."""

    def __init__(self, console: Console) -> None:
        """Nothing is printed yet."""
        self._console = console
        self._step = 0

    def step(self, zh: str, en: str) -> None:
        """The next step, in both languages."""
        self._step += 1
        self._console.print(f"\n[bold]{self._step:2}. {zh}[/bold]\n    {en}", highlight=False, soft_wrap=True)

    def title(self, zh: str, en: str) -> None:
        """Another story: its steps are counted from one."""
        self._step = 0
        self._console.print(f"\n[bold]{zh}[/bold]\n{en}", highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A detail of the step."""
        self._console.print(f"    {text}", highlight=False, markup=False, soft_wrap=True)

    def refused(self, what: str, answer: tuple[int, str], *wanted: str) -> None:
        """A request that was refused as it must be. Raises Unexpected when it was refused for another reason."""
        status, slug = answer
        if slug not in wanted:
            raise Unexpected(f"{what}: refused with {slug}, not with {' or '.join(wanted)}")
        self._console.print(
            f"    [yellow]refused 已拒绝[/yellow]  {what}: {status} {slug}", highlight=False, soft_wrap=True
        )
