"""The stack's own keys, made at the first start and kept in `keys.json` of the local directory.

No key stands in the code: two machines never share one, and deleting the file makes new ones.
"""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keys:
    """One secret for each trust relation inside the local stack."""

    cosmos: str  # base64 of 64 bytes: the account's master key
    signalr: str  # access key of the SignalR stand-in
    servicebus: str  # shared access key of the Service Bus stand-in
    blob: str  # base64 of 64 bytes: the storage account's key
    signalr_extension: str  # system key of the host's SignalR webhook
    host_master: str  # master key of the host's /admin calls


def load_or_create(directory: Path) -> Keys:
    """Return the keys kept in *directory*, making and storing them when there are none.

    Safe when several processes start at once: the first to link its file wins.
    """
    path = directory / "keys.json"
    if not path.exists():
        draft = directory / f"keys.{os.getpid()}.json"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(_generate())), encoding="utf-8")
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return Keys(**json.loads(path.read_text(encoding="utf-8")))


def _generate() -> Keys:
    return Keys(
        cosmos=base64.b64encode(secrets.token_bytes(64)).decode(),
        signalr=secrets.token_urlsafe(33),
        servicebus=base64.b64encode(secrets.token_bytes(32)).decode(),
        blob=base64.b64encode(secrets.token_bytes(64)).decode(),
        signalr_extension=secrets.token_urlsafe(33),
        host_master=secrets.token_urlsafe(33),
    )
