"""The website's token issuer: ES256 under one key, made at the first start."""

import hashlib
import json
import os
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from local.common.vapid import base64url

AUDIENCE = "parley"
SITE_AUDIENCE = "parley-site"
SUBJECT = "site"
_SITE_TOKEN_S = 3600  # an hour: for workers whose clocks run fast too


class Issuer:
    """Signs tokens as *issuer*, with the key kept in *directory*."""

    def __init__(self, directory: Path, issuer: str) -> None:
        self._key = _load_or_create(directory / "issuer.pem")
        self._issuer = issuer
        self._public = _public_jwk(self._key)

    def token(
        self,
        user_id: str,
        *,
        name: str,
        picture: str | None,
        expires_in_s: int,
        audience: str = AUDIENCE,
    ) -> str:
        """Return a signed token for *user_id* that holds for *expires_in_s* seconds."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "sub": user_id,
            "name": name,
            "iat": now,
            "exp": now + expires_in_s,
        }
        if picture is not None:
            claims["picture"] = picture
        headers = {"kid": str(self._public["kid"])}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=headers)

    def site_token(self) -> str:
        """Return a signed token for the site's own calls to the chat."""
        return self.token(
            SUBJECT,
            name="The site",
            picture=None,
            expires_in_s=_SITE_TOKEN_S,
            audience=SITE_AUDIENCE,
        )

    def key_set(self) -> dict[str, object]:
        """Return the public keys as a JWK Set (RFC 7517 §5)."""
        return {"keys": [self._public]}


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, object]:
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    # Source: RFC 7638 §3, the thumbprint over the required members in this order.
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, separators=(",", ":")).encode()
    thumbprint = base64url(hashlib.sha256(canonical).digest())
    return {**members, "kid": thumbprint, "use": "sig", "alg": "ES256"}


def _load_or_create(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        text = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(text)
        draft.rename(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        sentence = f"{path} holds no elliptic-curve key: delete it, and a new one is made"
        raise SystemExit(sentence)
    return key
