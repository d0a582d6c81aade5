# What a signal does to a run: calls in flight are paid for, so they end and are kept; no further one starts.

import signal
import threading
from itertools import count


def stop_safely_on_sigterm():
    """Handle SIGTERM in a thread, and start no further call.

    Snakemake's handler waits for a lock; where the signal meets the main thread inside that lock, it waits for ever.
    """

    def exit_gracefully():
        stop_calling()
        workflow.scheduler.exit_gracefully()

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=exit_gracefully).start())


def stop_gently_on_ctrl_c():
    """Let the calls in flight finish after Ctrl-C, also after a second one: they are paid for.

    The first is Snakemake's: it starts nothing more and waits. Python would break that wait off at the second and lose
    every reply that is still to come. The third ends the process.
    """
    presses = count(1)

    def on_ctrl_c(*_):
        press = next(presses)
        if press == 1:
            raise KeyboardInterrupt
        if press == 2:
            os.write(2, b"\nCalls in flight are paid for: waiting for their replies. Ctrl-C once more gives them up.\n")
            return
        give_up_calls()
        os._exit(130)

    signal.signal(signal.SIGINT, on_ctrl_c)
