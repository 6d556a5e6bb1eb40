"""The website's tokens, checked against its published keys.

One fetch at a time gets the keys, however many callers need them. While keys are known, a fetch in
the background renews them every ten minutes, and calls go on with the known keys meanwhile:

- While no key is known, every caller waits for the fetch under way, five seconds at most, and
  then is refused with 503. For a second after a failure, callers are refused at once. So nobody's
  calls can lengthen anybody's wait: there is no queue.
- A key id that is not known causes at most one fetch in ten seconds, whoever brings it: a flood of
  made-up ids costs the website nothing, and a new key serves ten seconds later at the latest.
- A key that the website has withdrawn is refused ten minutes later, and 24 hours later even where
  the website has not answered since: so long are known keys believed, and chat outlives the
  website.

Source: docs/operations.md#settings; what proves it: tests/contract/ports/test_token_port.py.
"""

import asyncio
import logging
import math
import time
from typing import Any, Final, override

import aiohttp
import jwt

from shared.config import Auth
from shared.domain.errors import (
    ForbiddenError,
    InvalidError,
    UnauthenticatedError,
    UnavailableError,
)
from shared.domain.ids import user_id
from shared.domain.people.user import Principal, proved
from shared.ports import TokenVerifier

logger = logging.getLogger(__name__)

_ALGORITHMS: Final = ["RS256", "ES256"]
_FETCH_AGAIN_S: Final = 10.0
_FAILED_AGAIN_S: Final = 1.0  # while no key is known
_RENEW_S: Final = 600.0
_BELIEVED_S: Final = 24 * 3600.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_LEEWAY_S: Final = 30  # the clocks of the website and of ours may differ by this much
_MAX_TOKEN_CHARACTERS: Final = 8_192


class PublishedKeys:
    """The keys at *url*: fetched by one fetch at a time, believed for a bounded time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -math.inf
        self._tried_at = -math.inf  # when the last fetch ended
        self._failed = False
        self._fetch: asyncio.Task[None] | None = None

    async def get(self, kid: str) -> jwt.PyJWK:
        """Return the key named *kid*.

        Raises:
            UnauthenticatedError: The website publishes no such key.
            UnavailableError: The website does not say.
        """
        if kid not in self._believed():
            await self._renewed()
        elif time.monotonic() - self._fetched_at > _RENEW_S:
            self._begin()
        believed = self._believed()
        if kid in believed:
            return believed[kid]
        if self._failed or not believed:
            raise UnavailableError("the token's issuer does not answer")
        raise UnauthenticatedError("the token's key is not known")

    async def aclose(self) -> None:
        """End the fetch under way; callers that wait for it are cancelled."""
        fetch = self._fetch
        if fetch is not None:
            fetch.cancel()
            await asyncio.wait([fetch])

    def _believed(self) -> dict[str, jwt.PyJWK]:
        return self._keys if time.monotonic() - self._fetched_at <= _BELIEVED_S else {}

    async def _renewed(self) -> None:
        self._begin()
        if self._fetch is not None:
            # A caller that gives up must not end the fetch that others wait for.
            await asyncio.shield(self._fetch)

    def _begin(self) -> None:
        pause_s = _FETCH_AGAIN_S if self._believed() else _FAILED_AGAIN_S
        if self._fetch is None and time.monotonic() - self._tried_at >= pause_s:
            self._fetch = asyncio.create_task(self._fetched())

    async def _fetched(self) -> None:
        try:
            self._keys = await self._published()
            self._fetched_at = time.monotonic()
            self._failed = False
        except Exception as error:  # noqa: BLE001  # whatever it was, the callers are told 503
            logger.warning("keys of the token issuer not fetched: %s", type(error).__name__)
            self._failed = True
        finally:
            self._tried_at = time.monotonic()
            self._fetch = None

    async def _published(self) -> dict[str, jwt.PyJWK]:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(self._url) as answer,
        ):
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(await answer.json(content_type=None)).keys
        return {key.key_id or "": key for key in keys}


class JwksTokenVerifier(TokenVerifier):
    """Fulfils `TokenVerifier`. Known keys go on serving while the website is down."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._keys = PublishedKeys(auth.jwks_url)

    @override
    async def verify(self, token: str) -> Principal:
        return _principal(await self._claims(token, [self._auth.audience]))

    @override
    async def verify_site(self, token: str) -> Principal:
        audiences = [
            audience for audience in (self._auth.site_audience, self._auth.audience) if audience
        ]
        claims = await self._claims(token, audiences)
        if not self._auth.site_audience or not _has(claims, self._auth.site_audience):
            raise ForbiddenError("only the website itself may call this")
        return _principal(claims)

    async def aclose(self) -> None:
        """End the fetch of keys that is under way."""
        await self._keys.aclose()

    async def _claims(self, token: str, audiences: list[str]) -> dict[str, Any]:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise UnauthenticatedError("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise UnauthenticatedError("the token's algorithm is not accepted")
            claims: dict[str, Any] = jwt.decode(
                token,
                await self._keys.get(str(header.get("kid", ""))),
                algorithms=_ALGORITHMS,
                issuer=self._auth.issuer,
                audience=audiences,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError("the token is not valid") from error
        self._check_expiry(claims["exp"])
        return claims

    def _check_expiry(self, expires_at: object) -> None:
        # The library accepts a number that is written as a string, and any number, however high.
        if not isinstance(expires_at, int | float) or isinstance(expires_at, bool):
            raise UnauthenticatedError("the token's expiry is not a number")
        if expires_at > time.time() + self._auth.token_max_s + _LEEWAY_S:
            raise UnauthenticatedError("the token holds for too long")


def _has(claims: dict[str, Any], audience: str) -> bool:
    audiences = claims["aud"]
    return audience == audiences if isinstance(audiences, str) else audience in audiences


def _principal(claims: dict[str, Any]) -> Principal:
    try:
        subject = user_id(claims["sub"], field="sub")
    except InvalidError as error:
        raise UnauthenticatedError("the token's subject is not a user id") from error
    return proved(subject, name=claims.get("name"), picture=claims.get("picture"))
