"""Request lines as people type them.

The parser of HTTP refuses a target with other characters than ASCII, as the standard has it, and all that
``curl 'http://…/v1/products?q=café'`` would get is a line of text without a reason. What was meant is plain, so
these bytes are percent-encoded before the parser sees them. Whether they are UTF-8 is looked at where all targets
are read.
"""

import re

from vitrina.entrypoints.gathering import GatheringProtocol

_LINE = re.compile(rb"[A-Z]{1,20} (/\S*) HTTP/1\.[01]\r?\n")
_RAW = re.compile(rb"[\x80-\xff]")


def encoded(data: bytes) -> bytes:
    """Return what a connection received, with a target of ASCII characters if a request begins there."""
    line = _LINE.match(data)
    if line is None or line[1].isascii():
        return data
    target = _RAW.sub(lambda each: b"%%%02X" % each[0][0], line[1])
    return data[: line.start(1)] + target + data[line.end(1) :]


class RequestLineProtocol(GatheringProtocol):
    """HTTP whose request lines may be as people type them."""

    def data_received(self, data: bytes) -> None:
        """Take in what a connection received; what belongs to a body stays as it is."""
        if not data.isascii() and (self.cycle is None or not self.cycle.more_body):
            data = encoded(data)
        super().data_received(data)
