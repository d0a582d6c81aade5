"""Tables for the terminal: one look for all of them, 80 columns where nothing says how wide it is."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence

_GAP = 2


def table_text(
    names: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = (), width: int | None = None
) -> str:
    """Return a table as lines of text, columns under their names, those named in `numbers` to the right.

    Lines have at most `width` characters (None: those of the terminal); cells wrap between words, and a line that
    has to be longer for a word, such as an id or a path, is longer. Cells are taken as they are: no markup.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[str(cell) for cell in row] for row in rows]
    available = shutil.get_terminal_size().columns if width is None else width
    widths = _widths([[name, *column] for name, *column in zip(names, *cells, strict=True)], available)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for name, column_width in zip(names, widths, strict=True):
        justify = "right" if name in numbers else "left"
        table.add_column(Text(name), justify=justify, width=column_width, overflow="fold")  # type: ignore[arg-type]
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=sum(widths) + _GAP * len(widths), color_system=None)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _widths(columns: Sequence[Sequence[str]], available: int) -> list[int]:
    """How wide each column is: as wide as its longest line where there is room, never narrower than a word.

    Rich's own choice narrows the widest column first, words or not.
    """
    from rich.cells import cell_len

    widths = [max((cell_len(line) for text in column for line in text.splitlines()), default=1) for column in columns]
    words = [max((cell_len(word) for text in column for word in text.split()), default=1) for column in columns]
    while sum(widths) + _GAP * (len(widths) - 1) > available:
        room = [width - word for width, word in zip(widths, words, strict=True)]
        if not any(room):
            break
        widths[room.index(max(room))] -= 1
    return widths
