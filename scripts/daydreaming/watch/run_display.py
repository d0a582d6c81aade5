"""What a run shows on its screen: progress from its start to its end, then what it came to."""

from __future__ import annotations

import textwrap

from daydreaming.watch.progress import Progress, ProgressState
from daydreaming.watch.run_events import RunStarted
from daydreaming.watch.screen import Screen


class RunDisplay:
    """The display of one run after the other on a screen."""

    def __init__(self, screen: Screen):
        self._screen = screen
        self._progress: Progress | None = None

    def start(self, event: RunStarted) -> None:
        """Show progress from now on."""
        self.stop()
        self._progress = Progress(ProgressState(event.tail, event.run_id, event.totals), self._screen)
        self._progress.start()

    def stop(self) -> None:
        """End the progress; without any, do nothing."""
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.stop()

    def end(self, text: str) -> None:
        """End the progress, and show what the run came to. Raises OSError or ValueError when the stream is gone."""
        self.stop()
        if text:
            self._screen.write(f"\n{self._styled(text)}\n\n")
            self._screen.flush()

    def _styled(self, text: str) -> str:
        """A text as a terminal shows it: as wide as it is, with its headings (lines that are not indented) in bold."""
        columns = self._screen.columns
        lines = [line if columns is None else _wrapped(line, columns) for line in text.split("\n")]
        if self._screen.has_styles:
            lines = [f"\x1b[1m{line}\x1b[0m" if line and not line.startswith(" ") else line for line in lines]
        return "\n".join(lines)


def _wrapped(line: str, width: int) -> str:
    """A line in pieces of a width, between words, for paths and commands must stay whole; what follows is indented."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    wrapper = textwrap.TextWrapper(width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(line) if len(line) > width else line
