"""The website's tokens, checked against keys that a server publishes."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.adapters.identity import jwks
from shared.adapters.identity.jwks import JwksTokenVerifier
from shared.config import Auth
from shared.domain.errors import ForbiddenError, UnauthenticatedError, UnavailableError

ISSUER, AUDIENCE = "https://site.example", "parley"


class Site:
    """Publishes keys, signs tokens, and can be down."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {"one": ec.generate_private_key(ec.SECP256R1())}
        self.asked = 0
        self.down = False
        self.body = b""
        self.open = asyncio.Event()
        self.open.set()
        self.reached = asyncio.Event()
        self.url = ""

    async def published(self, _request: web.Request) -> web.Response:
        self.asked += 1
        self.reached.set()
        await self.open.wait()
        if self.down:
            return web.Response(status=500)
        if self.body:
            return web.Response(body=self.body, content_type="application/json")
        keys = [{**self._public(key), "kid": kid, "use": "sig"} for kid, key in self.keys.items()]
        return web.json_response({"keys": keys})

    def token(self, kid: str = "one", algorithm: str = "ES256", **changed: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ann",
            "name": "Ann",
            "picture": "https://x/a",
            "exp": time.time() + 60,
            **changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.keys[kid], algorithm, headers={"kid": kid})

    @staticmethod
    def _public(key: Any) -> dict[str, Any]:
        kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else None
        chosen: Any = kind or jwt.algorithms.ECAlgorithm
        return dict(json.loads(chosen.to_jwk(key.public_key())))


@contextlib.asynccontextmanager
async def serving(site: Site) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_get("/keys", site.published)
    runner = web.AppRunner(app)
    await runner.setup()
    place = web.TCPSite(runner, "127.0.0.1", 0)
    await place.start()
    port = runner.addresses[0][1]
    site.url = f"http://127.0.0.1:{port}/keys"
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with serving(made):
        yield made


def verifier(site: Site) -> JwksTokenVerifier:
    return JwksTokenVerifier(
        Auth("jwt", ISSUER, AUDIENCE, site.url, "", "parley-site", 86_400, False)
    )


async def test_a_token_of_the_site_proves_its_subject(site: Site) -> None:
    proved = await verifier(site).verify(site.token())

    assert (proved.user_id, proved.display_name, proved.avatar_url) == ("ann", "Ann", "https://x/a")


@pytest.mark.parametrize(
    ("name", "shown"), [(None, ""), (7, ""), ("x" * 300, "x" * 200), ("half \ud83d", "")]
)
async def test_a_name_that_is_none_is_left_out(site: Site, name: object, shown: str) -> None:
    assert (await verifier(site).verify(site.token(name=name))).display_name == shown


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},  # not from now: the test may run long after this is read
        {"sub": None},
        {"sub": "a b"},
        {"sub": ".."},
        {"sub": "x" * 129},
    ],
)
async def test_a_token_that_is_not_for_us_proves_nothing(
    site: Site, changed: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        await verifier(site).verify(site.token(**changed))


async def test_a_token_signed_by_rsa_is_taken_too(site: Site) -> None:
    site.keys["rsa"] = rsa.generate_private_key(65_537, 2_048)

    assert (await verifier(site).verify(site.token("rsa", "RS256"))).user_id == "ann"


async def test_a_forged_token_proves_nothing(site: Site) -> None:
    good = site.token()
    site_key = site.keys["one"]
    site.keys["one"] = ec.generate_private_key(ec.SECP256R1())
    forged = site.token()
    site.keys["one"] = site_key
    shared = jwt.encode({"sub": "ann"}, "s" * 64, "HS256", headers={"kid": "one"})
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    unsigned = f"{header}.{good.split('.')[1]}."

    for token in (forged, shared, unsigned, good + "x", "", "a.b.c", "x" * 9_000):
        with pytest.raises(UnauthenticatedError):
            await verifier(site).verify(token)


async def test_keys_are_fetched_once_and_unknown_ones_do_not_hammer_the_site(site: Site) -> None:
    checked = verifier(site)
    for _ in range(3):
        await checked.verify(site.token())
    site.keys["two"] = ec.generate_private_key(ec.SECP256R1())

    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            await checked.verify(site.token("two"))

    assert site.asked == 1


async def test_a_new_key_is_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "_FETCH_AGAIN_S", 0.0)
    checked = verifier(site)
    await checked.verify(site.token())
    site.keys["two"] = ec.generate_private_key(ec.SECP256R1())

    assert (await checked.verify(site.token("two"))).user_id == "ann"


async def test_a_known_key_serves_while_the_site_is_down_and_not_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_RENEW_S", 0.0)
    monkeypatch.setattr(jwks, "_FETCH_AGAIN_S", 0.0)
    checked = verifier(site)
    await checked.verify(site.token())
    site.down = True

    for _ in range(3):
        assert (await checked.verify(site.token())).user_id == "ann"
    with pytest.raises(UnavailableError):
        await verifier(site).verify(site.token())
    monkeypatch.setattr(jwks, "_BELIEVED_S", 0.0)
    with pytest.raises(UnavailableError):
        await checked.verify(site.token())


async def test_a_withdrawn_key_is_refused_once_the_keys_are_renewed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_RENEW_S", 0.0)
    monkeypatch.setattr(jwks, "_FETCH_AGAIN_S", 0.0)
    checked = verifier(site)
    old = site.token()
    await checked.verify(old)
    site.keys = {"two": ec.generate_private_key(ec.SECP256R1())}

    async def still_believed() -> bool:  # calls go on with the known keys until the new are there
        try:
            await checked.verify(old)
        except UnauthenticatedError:
            return False
        return True

    async with asyncio.timeout(30):
        believed = True
        while believed:
            await asyncio.sleep(0.01)
            believed = await still_believed()
    assert (await checked.verify(site.token("two"))).user_id == "ann"


async def test_calls_without_a_known_key_wait_for_one_fetch_and_share_its_failure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_FAILED_AGAIN_S", 3600.0)
    site.open.clear()
    checked = verifier(site)
    site.down = True
    calls = [asyncio.create_task(checked.verify(site.token())) for _ in range(6)]
    await asyncio.wait_for(site.reached.wait(), 30)

    calls[0].cancel()  # who gives up takes nothing from the others
    site.open.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    late = await asyncio.gather(checked.verify(site.token("one")), return_exceptions=True)

    assert [type(one) for one in (*ended[1:], *late)] == [UnavailableError] * 6
    assert site.asked == 1


async def test_the_site_is_asked_again_a_moment_after_a_failure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = verifier(site)
    site.down = True
    with pytest.raises(UnavailableError):
        await checked.verify(site.token())

    site.down = False
    monkeypatch.setattr(jwks, "_FAILED_AGAIN_S", 0.0)

    assert (await checked.verify(site.token())).user_id == "ann"


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"null", b'{"keys": []}'])
async def test_an_answer_without_keys_is_no_answer(site: Site, body: bytes) -> None:
    site.body = body

    with pytest.raises(UnavailableError):
        await verifier(site).verify(site.token())


async def test_an_expiry_is_a_number_and_near(site: Site) -> None:
    now = time.time()
    for expires_at in (str(int(now) + 60), now + 86_400 + 90, 1e300, True, "soon", [now]):
        with pytest.raises(UnauthenticatedError):
            await verifier(site).verify(site.token(exp=expires_at))

    for expires_at in (now + 86_400, int(now) + 60, now - 10):
        assert (await verifier(site).verify(site.token(exp=expires_at))).user_id == "ann"


async def test_clocks_may_differ_by_some_seconds(site: Site) -> None:
    ahead = time.time() + 10

    assert (await verifier(site).verify(site.token(nbf=ahead, iat=ahead))).user_id == "ann"
    with pytest.raises(UnauthenticatedError):
        await verifier(site).verify(site.token(exp=time.time() - 60))


async def test_the_websites_calls_take_tokens_of_their_own_audience_alone(site: Site) -> None:
    checked = verifier(site)
    own = site.token(aud="parley-site", sub="site")

    assert (await checked.verify_site(own)).user_id == "site"
    assert (await checked.verify_site(site.token(aud=["x", "parley-site"]))).user_id == "ann"
    with pytest.raises(UnauthenticatedError):
        await checked.verify(own)
    with pytest.raises(ForbiddenError):
        await checked.verify_site(site.token())
    for other in ("other", None, ["other"], "parley-site-2"):
        with pytest.raises(UnauthenticatedError):
            await checked.verify_site(site.token(aud=other))


async def test_without_an_audience_for_it_no_token_is_the_websites(site: Site) -> None:
    checked = JwksTokenVerifier(Auth("jwt", ISSUER, AUDIENCE, site.url, "", "", 86_400, False))

    with pytest.raises(ForbiddenError):
        await checked.verify_site(site.token())
    with pytest.raises(UnauthenticatedError):
        await checked.verify_site(site.token(aud=""))
