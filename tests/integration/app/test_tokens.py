"""Tokens and keys: what proves a caller, and all that does not."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.common.keys import load_or_create
from tests.hub import Hub
from tests.integration.app.people import Json, World, code_of
from tests.stack import Stack

pytestmark = pytest.mark.stack


class Forge:
    """Makes tokens with the website's own key, or with any other."""

    def __init__(self, stack: Stack, user_id: str) -> None:
        self.stack = stack
        self.public: Json = stack.call_now("GET", "/dev/jwks").json["keys"][0]
        pem = (stack.directory / "site" / "issuer.pem").read_bytes()
        key = serialization.load_pem_private_key(pem, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        now = int(time.time())
        self.claims: Json = {
            "iss": stack.base_url,
            "aud": "parley",
            "sub": user_id,
            "iat": now,
            "exp": now + 600,
        }

    def token(self, *, key: Any = None, header: Json | None = None, **claims: object) -> str:
        """Return a token that differs from a good one by *claims* (None leaves one out)."""
        said = {name: it for name, it in (self.claims | claims).items() if it is not None}
        headers = {"kid": self.public["kid"], **(header or {})}
        return jwt.encode(said, key or self.key, algorithm="ES256", headers=headers)

    def by_hand(self, header: Json, secret: bytes | None) -> str:
        """Return a token whose header says *header*, signed by HMAC or not at all."""
        parts = [base64url(json.dumps(each).encode()) for each in (header, self.claims)]
        signed = ".".join(parts)
        signature = hmac.digest(secret, signed.encode(), hashlib.sha256) if secret else b""
        return f"{signed}.{base64url(signature)}"

    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def tampered(token: str) -> str:
    header, claims, signature = token.split(".")
    padded = claims + "=" * (-len(claims) % 4)
    other = json.loads(base64.urlsafe_b64decode(padded)) | {"sub": "somebody-else"}
    return f"{header}.{base64url(json.dumps(other).encode())}.{signature}"


BAD: dict[str, Callable[[Forge], str]] = {
    "empty": lambda _: "",
    "a word": lambda _: "token",
    "dots": lambda _: "a.b.c",
    "only dots": lambda _: "..",
    "binary": lambda _: base64url(b"\x00\xff" * 40),
    "very long": lambda forge: forge.token() + "x" * 7_000,
    "expired": lambda forge: forge.token(exp=int(time.time()) - 60),
    "not yet": lambda forge: forge.token(nbf=int(time.time()) + 600),
    "never expiring": lambda forge: forge.token(exp=None),
    "expiry in words": lambda forge: forge.by_hand({"alg": "ES256"}, b"x"),
    "other issuer": lambda forge: forge.token(iss="https://evil.example.com"),
    "no issuer": lambda forge: forge.token(iss=None),
    "other audience": lambda forge: forge.token(aud="another-app"),
    "no audience": lambda forge: forge.token(aud=None),
    "no subject": lambda forge: forge.token(sub=None),
    "subject with spaces": lambda forge: forge.token(sub="two words"),
    "subject too long": lambda forge: forge.token(sub="x" * 129),
    "wrong kid": lambda forge: forge.token(header={"kid": "another"}),
    "kid as a path": lambda forge: forge.token(header={"kid": "../../etc/passwd"}),
    "another key": lambda forge: forge.token(key=ec.generate_private_key(ec.SECP256R1())),
    "changed after signing": lambda forge: tampered(forge.token()),
    "without its signature": lambda forge: forge.token().rsplit(".", 1)[0] + ".",
    "alg none": lambda forge: forge.by_hand({"alg": "none", "kid": forge.public["kid"]}, None),
    "alg nOnE": lambda forge: forge.by_hand({"alg": "nOnE", "kid": forge.public["kid"]}, None),
    "HS256 with the public key": lambda forge: forge.by_hand(
        {"alg": "HS256", "kid": forge.public["kid"]}, forge.public_pem()
    ),
    "HS256 with the published x": lambda forge: forge.by_hand(
        {"alg": "HS256", "kid": forge.public["kid"]}, forge.public["x"].encode()
    ),
    "a key of its own": lambda forge: forge.by_hand(
        {"alg": "ES256", "jwk": forge.public, "jku": "http://127.0.0.1:1/"}, b"x"
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_token_that_does_not_hold_opens_nothing(world: World, name: str) -> None:
    ann = await world.person("ann")
    token = BAD[name](Forge(world.stack, ann.user_id))
    headers = {"Authorization": f"Bearer {token}", "x-ms-signalr-userid": ann.user_id}

    replies = [
        await world.call("GET", "/api/me", headers=headers),
        await world.call("POST", "/api/negotiate", headers=headers),
    ]

    for reply in replies:
        assert (reply.status, code_of(reply)) == (401, "unauthenticated")
        assert reply.headers["www-authenticate"] == "Bearer"
        assert b"accessToken" not in reply.body


async def test_the_forges_own_good_token_is_good(world: World) -> None:
    ann = await world.person("ann")
    token = Forge(world.stack, ann.user_id).token()

    reply = await world.call("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})

    assert reply.json["userId"] == ann.user_id


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YW5uOmFubg==", "bearer", "Token x"])
async def test_a_call_without_a_bearer_token_is_nobodys(world: World, header: str | None) -> None:
    ann = await world.person("ann")
    said = {} if header is None else {"Authorization": header}

    reply = await world.call("GET", "/api/me", headers=said)
    negotiated = await world.call(
        "POST", "/api/negotiate", headers={**said, "x-ms-signalr-userid": ann.user_id}
    )

    assert (reply.status, code_of(reply)) == (401, "unauthenticated")
    assert (negotiated.status, code_of(negotiated)) == (401, "unauthenticated")


async def test_nobody_negotiates_for_somebody_else(world: World) -> None:
    ann, bob = await world.people("ann", "bob")

    for other in (bob.user_id, ann.user_id.upper(), f"{ann.user_id},{bob.user_id}", "site"):
        reply = await ann.call("POST", "/negotiate", headers={"x-ms-signalr-userid": other})

        assert (reply.status, code_of(reply)) == (403, "principal_mismatch")
        assert b"accessToken" not in reply.body


async def test_the_headers_of_the_platform_prove_nothing_beside_tokens(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    said = {"x-ms-client-principal-id": bob.user_id, "x-ms-client-principal-name": "Bob"}

    mine = await ann.call("GET", "/me", headers=said)
    nobodys = await world.call("GET", "/api/me", headers=said)

    assert mine.json["userId"] == ann.user_id
    assert nobodys.status == 401


async def test_neither_kind_of_token_serves_for_the_other(world: World) -> None:
    ann = await world.person("ann")
    info = (await ann.call("POST", "/negotiate", headers={"x-ms-signalr-userid": ann.user_id})).json
    said = {"Authorization": f"Bearer {info['accessToken']}"}

    reply = await world.call("GET", "/api/me", headers=said)
    with pytest.raises(aiohttp.ClientResponseError) as refused:
        await Hub.follow(world.session, info["url"], ann.token)

    assert reply.status == 401
    assert refused.value.status == 401


def invocation(world: World, user_id: str, *, key: str, signature: str) -> tuple[str, Json]:
    path = f"/runtime/webhooks/signalr{f'?code={key}' if key else ''}"
    headers = {
        "Content-Type": "application/json",
        "X-ASRS-Hub": "chat",
        "X-ASRS-Category": "messages",
        "X-ASRS-Event": "heartbeat",
        "X-ASRS-Connection-Id": "forged",
        "X-ASRS-User-Id": user_id,
        **({"X-ASRS-Signature": signature} if signature else {}),
    }
    return path, headers


async def test_calls_of_the_hub_that_are_unsigned_or_wrongly_keyed_are_refused(
    world: World,
) -> None:
    ann = await world.person("ann")
    keys = load_or_create(world.stack.directory)
    good = "sha256=" + hmac.new(keys.signalr.encode(), b"forged", hashlib.sha256).hexdigest()
    wrong = "sha256=" + hmac.new(b"another key", b"forged", hashlib.sha256).hexdigest()
    other = "sha256=" + hmac.new(keys.signalr.encode(), b"other", hashlib.sha256).hexdigest()
    asked = {"type": 1, "invocationId": "0", "target": "heartbeat", "arguments": [{}]}
    tried = [
        ("", good),
        ("wrong", good),
        (keys.signalr_extension, ""),
        (keys.signalr_extension, wrong),
        (keys.signalr_extension, other),
        (keys.signalr_extension, "sha256="),
        (keys.signalr_extension, good.removeprefix("sha256=")),
    ]

    statuses = []
    for key, signature in tried:
        path, headers = invocation(world, ann.user_id, key=key, signature=signature)
        statuses.append((await world.call("POST", path, asked, headers)).status)
    path, headers = invocation(world, ann.user_id, key=keys.signalr_extension, signature=good)
    let_in = await world.call("POST", path, asked, headers)

    assert statuses == [401] * len(tried)
    assert let_in.status == 200


async def test_the_hosts_own_calls_need_the_master_key(world: World) -> None:
    ann = await world.person("ann")
    keys = load_or_create(world.stack.directory)
    paths = [
        ("GET", "/admin/functions"),
        ("GET", "/admin/host/keys"),
        ("GET", "/admin/host/status"),
        ("POST", "/admin/functions/users_changed"),
        ("POST", "/admin/functions/flush_receipts"),
    ]
    statuses = set()

    for method, path in paths:
        for key in ("", "wrong", keys.signalr_extension, ann.token, keys.cosmos):
            said = {"x-functions-key": key} if key else {}
            body = {"input": "[]"} if method == "POST" else None
            statuses.add((await world.call(method, path, body, said)).status)

    assert statuses == {401}
    said = {"x-functions-key": keys.host_master}
    assert (await world.call("GET", "/admin/functions", headers=said)).status == 200
