"""The website's tokens, checked against its published keys."""

import asyncio
import logging
import time
from typing import Any, Final, override

import aiohttp
import jwt

from shared.config import Auth
from shared.domain.errors import InvalidError, UnauthenticatedError, UnavailableError
from shared.domain.ids import user_id
from shared.domain.text import is_unicode
from shared.domain.user import MAX_URL_CHARACTERS, Principal, display_name, picture_url
from shared.ports import TokenVerifier

logger = logging.getLogger(__name__)

_ALGORITHMS: Final = ["RS256", "ES256"]
_FETCH_AGAIN_S: Final = 10.0  # at most one fetch in this time, however many unknown keys come
_KEEP_S: Final = 3600.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_MAX_TOKEN_CHARACTERS: Final = 8_192


class JwksTokenVerifier(TokenVerifier):
    """Fulfils `TokenVerifier`. A known key goes on serving while the website is down."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -_KEEP_S
        self._tried_at = -_FETCH_AGAIN_S
        self._turn = asyncio.Lock()

    @override
    async def verify(self, token: str) -> Principal:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise UnauthenticatedError("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise UnauthenticatedError("the token's algorithm is not accepted")
            key = await self._key(str(header.get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                issuer=self._auth.issuer,
                audience=self._auth.audience,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError("the token is not valid") from error
        return _principal(claims)

    async def _key(self, kid: str) -> jwt.PyJWK:
        now = time.monotonic()
        if kid not in self._keys or now - self._fetched_at > _KEEP_S:
            await self._fetch(kid)
        if kid not in self._keys:
            raise UnauthenticatedError("the token's key is not known")
        return self._keys[kid]

    async def _fetch(self, kid: str) -> None:
        async with self._turn:
            now = time.monotonic()
            if now - self._tried_at < _FETCH_AGAIN_S and self._keys:
                return
            self._tried_at = now
            try:
                self._keys = await self._published()
                self._fetched_at = now
            except (aiohttp.ClientError, TimeoutError, ValueError, jwt.PyJWTError) as error:
                logger.warning("keys of the token issuer not fetched: %s", type(error).__name__)
                if kid not in self._keys:
                    raise UnavailableError("the token's issuer does not answer") from error

    async def _published(self) -> dict[str, jwt.PyJWK]:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(self._auth.jwks_url) as answer,
        ):
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(await answer.json(content_type=None)).keys
        return {key.key_id or "": key for key in keys}


def _principal(claims: dict[str, Any]) -> Principal:
    try:
        subject = user_id(claims["sub"], field="sub")
    except InvalidError as error:
        raise UnauthenticatedError("the token's subject is not a user id") from error
    # A token proves who calls: a profile in it that cannot be shown is left out, not refused.
    name, picture = _text(claims.get("name")), _text(claims.get("picture"))
    return Principal(
        subject,
        display_name=display_name(name, fallback=""),
        avatar_url=picture_url(picture) if len(picture) <= MAX_URL_CHARACTERS else "",
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) and is_unicode(value) else ""
