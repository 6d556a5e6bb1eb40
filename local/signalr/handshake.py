"""The first exchange on a connection: which protocol the client speaks. No I/O.

The handshake is JSON whatever the protocol; a text or a binary frame may carry it.
"""

import json

from local.signalr.protocol import CODECS, RECORD_SEPARATOR, Codec

ACCEPTED = b"{}" + RECORD_SEPARATOR
_MAX_BYTES = 4096


class HandshakeError(Exception):
    """The handshake asks for something this service does not speak, or is none."""

    @property
    def reply(self) -> bytes:
        """The handshake response that tells the client why."""
        return json.dumps({"error": str(self)}).encode() + RECORD_SEPARATOR


class Handshake:
    """Collects bytes until the handshake request is whole."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> tuple[Codec, bytes] | None:
        """Return the protocol asked for and the bytes after the request, or None when unfinished.

        Raises:
            HandshakeError: The request is malformed, too long, or for an unknown protocol.

        """
        self._data += data
        request, separator, rest = self._data.partition(RECORD_SEPARATOR)
        if len(request) > _MAX_BYTES:
            raise HandshakeError("The handshake request is too long.")
        if not separator:
            return None
        return _choose(request), rest


def _choose(request: bytes) -> Codec:
    try:
        asked = json.loads(request.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise HandshakeError("The handshake request is not JSON.") from error
    if not isinstance(asked, dict):
        raise HandshakeError("The handshake request is not a JSON object.")
    codec = CODECS.get(str(asked.get("protocol")))
    if codec is None:
        raise HandshakeError(f"The protocol '{asked.get('protocol')}' is not supported.")
    if asked.get("version") != 1:
        raise HandshakeError(
            f"The server does not support version {asked.get('version')}"
            f" of the '{codec.name}' protocol."
        )
    return codec
