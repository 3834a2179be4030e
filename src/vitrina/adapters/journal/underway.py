"""The units of work on their way to the disk, one resting on the other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from vitrina.adapters.journal.record import Record
from vitrina.adapters.layers import Layer
from vitrina.adapters.tables import Readable, Tables


@dataclass(frozen=True, slots=True)
class Pending:
    """A record on its way to the disk, and the layer of its unit of work.

    Attributes:
        end: The place in the journal behind it.
        record: What was committed.
        layer: The same, to be read through.
        size: How many bytes the record has.
    """

    end: int
    record: Record
    layer: Layer
    size: int


class Underway:
    """What was appended and is not durable, in order; of this process and of others.

    Attributes:
        size: How many bytes that is.
        tip: What the next unit of work rests on.
        tip_seq: The number of the last change in it.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._pending: deque[Pending] = deque()
        self.size = 0
        self.tip: Readable = tables
        self.tip_seq = tables.seq

    def push(self, pending: Pending) -> None:
        """Put a record on top of the others."""
        # What was on top when its unit of work began may be in the tables by now.
        pending.layer.rest_on(self.tip)
        self._pending.append(pending)
        self.size += pending.size
        self.tip, self.tip_seq = pending.layer, pending.record.span.last

    def pop(self) -> None:
        """Take the record on top away, if there is one: it never happened."""
        if self._pending:
            self.size -= self._pending.pop().size
        self._find_tip()

    def clear(self) -> None:
        """Take all away: they never happened."""
        self._pending.clear()
        self.size = 0
        self._find_tip()

    def settle(self, durable: int) -> Iterator[Pending]:
        """Yield those that end before the place *durable*; the tables take them in meanwhile.

        One that they cannot take in stays, and is yielded again the next time.
        """
        while self._pending and self._pending[0].end <= durable:
            yield self._pending[0]
            self.size -= self._pending.popleft().size

    def rest(self) -> None:
        """Let what is left rest on the tables, which have grown."""
        if self._pending:
            self._pending[0].layer.rest_on(self._tables)
        self._find_tip()

    def _find_tip(self) -> None:
        if self._pending:
            top = self._pending[-1]
            self.tip, self.tip_seq = top.layer, top.record.span.last
        else:
            self.tip, self.tip_seq = self._tables, self._tables.seq
