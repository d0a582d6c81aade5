"""What SIGTERM and Ctrl-C do while calls are in flight, until Snakemake has told the executor of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

WAITING = "\nCalls in flight are paid for: waiting for their replies. Ctrl-C once more gives them up.\n"
# From a first Ctrl-C to the executor's cancel() Snakemake writes one line. Longer than this, a second one is not held.
SNAKEMAKE_TAKES_S = 5.0


def tell_to_wait() -> None:
    """Say, whatever is being written, what a run that was interrupted twice does."""
    os.write(2, WAITING.encode())


class Interruption:
    """The handlers of both signals, for as long as calls may be in flight."""

    def __init__(self, stop_calling: Callable[[], None]) -> None:
        self._stop_calling = stop_calling
        self._give_back: list[Callable[[], object]] = []
        self._give_up_calls: Callable[[], None] | None = None
        self._presses = 0
        self._pressed_at = 0.0

    def listen(self) -> None:
        """Put the handlers in place; nothing outside of the main thread, where Python takes no handler."""
        if threading.current_thread() is threading.main_thread():
            self._replace(signal.SIGTERM, self._on_sigterm(signal.getsignal(signal.SIGTERM)))
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._replace(signal.SIGINT, self._on_ctrl_c)

    def cancelling(self, give_up_calls: Callable[[], None]) -> None:
        """From now on Ctrl-C interrupts nobody: the second one says what goes on, and later ones give the calls up.

        Also where no call was asked for yet, and nobody listened before. `give_up_calls` may be called from the
        handler, in the main thread. It is called at once where Ctrl-C was pressed three times on the way here.
        """
        self._give_up_calls = give_up_calls
        if not self._give_back:
            self.listen()
        self._presses = max(self._presses, 1)
        if self._presses > 2:
            give_up_calls()

    def end(self) -> None:
        """Put back the handlers that were there."""
        while self._give_back:
            self._give_back.pop()()

    def _replace(self, number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
        before = signal.signal(number, handler)
        self._give_back.append(lambda: signal.signal(number, before))

    def _on_sigterm(self, before: object) -> Callable[[int, FrameType | None], None]:
        """Also what waits for its call is stopped; then Snakemake does what it does on SIGTERM.

        Snakemake's handler takes a lock that the main thread may hold when the signal comes: so it runs in a thread.
        """

        def stop(number: int, frame: FrameType | None) -> None:
            self._stop_calling()
            if callable(before):
                threading.Thread(target=before, args=(number, None)).start()

        return stop

    def _on_ctrl_c(self, number: int, frame: FrameType | None) -> None:
        """The first one is Snakemake's. An exception from any other would end the process with a stack trace."""
        now = time.monotonic()
        self._presses += 1
        if self._give_up_calls is not None:
            if self._presses > 2:
                self._give_up_calls()
            else:
                tell_to_wait()
        elif self._presses > 1 and now - self._pressed_at < SNAKEMAKE_TAKES_S:
            tell_to_wait()
        else:
            self._pressed_at = now
            raise KeyboardInterrupt
