"""The first exchange on a connection: which protocol the client speaks. No I/O.

The handshake is JSON whatever the protocol; a text or a binary frame may carry it.
"""

import json

from local.signalr.protocol import CODECS, RECORD_SEPARATOR, Codec

ACCEPTED = b"{}" + RECORD_SEPARATOR
_MAX_BYTES = 4096


class HandshakeError(Exception):
    """The handshake asks for a protocol that this service does not speak, or is malformed."""

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
        handshake = json.loads(request.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise HandshakeError("The handshake request is not JSON.") from error
    if not isinstance(handshake, dict):
        raise HandshakeError("The handshake request is not a JSON object.")
    codec = CODECS.get(str(handshake.get("protocol")))
    if codec is None:
        raise HandshakeError(f"The protocol '{handshake.get('protocol')}' is not supported.")
    if handshake.get("version") != 1:
        raise HandshakeError(
            f"The server does not support version {handshake.get('version')}"
            f" of the '{codec.name}' protocol."
        )
    return codec
