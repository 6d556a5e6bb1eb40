"""The key the app signs its pushes with (RFC 8292), kept in `vapid.key` of the local directory.

Written as the app reads it: base64url of the key's 32 bytes. No cryptography is needed to make it.
"""

import base64
import os
import secrets
from pathlib import Path

# Order of the P-256 group: a private key is a number below it. Source: FIPS 186-4, D.1.2.3.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def load_or_create_vapid_key(directory: Path) -> str:
    """Return the VAPID private key kept in *directory*: base64url of its 32 bytes."""
    path = directory / "vapid.key"
    if not path.exists():
        number = secrets.randbelow(_P256_ORDER - 1) + 1
        draft = directory / f"vapid.{os.getpid()}.key"
        draft.touch(mode=0o600)
        draft.write_text(base64url(number.to_bytes(32, "big")), encoding="ascii")
        draft.rename(path)
    return path.read_text(encoding="ascii").strip()


def base64url(value: bytes) -> str:
    """Return *value* in base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
