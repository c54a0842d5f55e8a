"""The lines of a body that may have no end, one at a time: NDJSON.

No more is in memory than one line and the piece after it. A line has its time as a body
has (service.api.arrival); while nobody asks for one, none is waited for, and the sender
is held up by the full line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from starlette.exceptions import HTTPException

from service.api.arrival import Arrival
from service.api.body import check_codings, media_type_of
from service.api.documented import NDJSON
from service.api.problems import BodyTooLarge

_TYPES = {NDJSON, "application/jsonl", "application/x-jsonlines"}


class Lines:
    """Used on the event loop alone.

    Args:
        max_bytes: Of a line.
        receive_s: How long one may take to arrive, beside what its bytes earn it.

    Raises:
        HTTPException: If the body is of another kind, or packed.
    """

    def __init__(self, request: Request, max_bytes: int, receive_s: float) -> None:
        if media_type_of(request.headers.get("content-type", "")) not in _TYPES:
            raise HTTPException(415, f"send {NDJSON}: one JSON object a line")
        check_codings(request)
        self._pieces: AsyncIterator[bytes] = request.stream()
        self._max_bytes, self._receive_s = max_bytes, receive_s
        self._buffer = bytearray()
        self._searched = 0
        self._over = False

    async def take(self) -> bytes | None:
        """The next, without its end; may be blank. None if there are no more.

        Raises:
            BodyTooLarge: If this one is too long; the next call has the one behind it.
            RequestTimeout: If it comes too slowly.
            ClientDisconnect: If the caller left before the end.
        """
        arrival = Arrival(self._receive_s)
        too_long = False
        async with arrival.in_time():
            while (end := self._buffer.find(b"\n", self._searched)) < 0 and not self._over:
                if len(self._buffer) > self._max_bytes:
                    # What is left of it is passed over as it comes.
                    too_long = True
                    self._buffer.clear()
                self._searched = len(self._buffer)
                piece = await anext(self._pieces, None)
                if piece is None:
                    self._over = True
                else:
                    arrival.add(len(piece))
                    self._buffer += piece
        if end < 0 and not (self._buffer or too_long):
            return None
        end = len(self._buffer) if end < 0 else end
        too_long = too_long or end > self._max_bytes
        line = b"" if too_long else bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        if too_long:
            raise BodyTooLarge(f"at most {self._max_bytes} bytes are accepted in one line")
        return line
