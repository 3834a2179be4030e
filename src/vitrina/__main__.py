"""The command ``vitrina``; ``python -m vitrina`` is the same."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command."""
    if sys.argv[1:2] == ["serve"]:
        # Before the long imports: to process 1 of a container, a signal without a handler is
        # nothing at all, and anywhere else it would end the start with exit code 143.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
    from vitrina.entrypoints.cli import main as run  # noqa: PLC0415 - as above

    run()


def _end(_number: int, _frame: FrameType | None) -> None:
    """End a start that nobody wants any more, at once.

    Nothing was answered yet, and the next start finds its way from wherever this one got to.
    Whatever serves, or looks after workers, takes the signals itself as soon as it does.
    """
    os._exit(0)


if __name__ == "__main__":
    main()
