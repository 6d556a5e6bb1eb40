"""Tokens, keys, the demo directory and the avatars."""

import asyncio
import contextlib

from aiohttp import web

from local.site.avatars import avatar_svg
from local.site.directory import Directory
from local.site.feeder import Feeder
from local.site.fields import (
    integer,
    optional_name,
    read_object,
    search_words,
    user_id,
    user_ids,
)
from local.site.issuer import SUBJECT, Issuer
from local.site.problems import InvalidError, ProblemError

_DEFAULT_TOKEN_S = 3600
_LONGEST_TOKEN_S = 86_400
_FEED_PATIENCE_S = 3.0


class People:
    """Answers `/dev/token`, `/dev/site-token`, `/dev/jwks`, `/dev/users` and `/avatars/...`."""

    def __init__(self, directory: Directory, issuer: Issuer, feeder: Feeder) -> None:
        self._directory = directory
        self._issuer = issuer
        self._feeder = feeder

    def routes(self) -> list[web.RouteDef]:
        """Return the calls that concern people."""
        return [
            web.post("/dev/token", self._token),
            web.post("/dev/site-token", self._site_token),
            web.get("/dev/jwks", self._jwks),
            web.get("/dev/users", self._users),
            web.get("/avatars/{name}", self._avatar),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        fields = await read_object(request)
        subject = user_id(fields.get("userId"))
        if subject == SUBJECT:
            raise InvalidError("userId", "is the site's own principal")
        name = optional_name(fields.get("name"))
        expires_in_s = integer(
            fields.get("expiresInS", _DEFAULT_TOKEN_S), "expiresInS", 1, _LONGEST_TOKEN_S
        )
        user, changed = self._directory.register(subject, name)
        if changed or not self._feeder.has_fed([subject]):
            await self._feed(subject)
        token = self._issuer.token(
            subject,
            name=name or user.display_name,
            picture=self._directory.avatar_url(subject),
            expires_in_s=expires_in_s,
        )
        return web.json_response({"token": token}, headers={"Cache-Control": "no-store"})

    async def _site_token(self, _: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-store"}
        return web.json_response({"token": self._issuer.site_token()}, headers=headers)

    async def _feed(self, subject: str) -> None:
        # Who holds a token may chat at once; should the chat be down, the token comes anyway.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._feeder.enqueue(subject)), _FEED_PATIENCE_S)

    async def _jwks(self, _: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=300"}
        return web.json_response(self._issuer.key_set(), headers=headers)

    async def _users(self, request: web.Request) -> web.Response:
        """Answer the demo people; with `search` or `userIds`, anybody who has ever signed in."""
        search = request.query.get("search")
        named = request.query.get("userIds")
        if search is not None:
            items = self._directory.search(search_words(search))
        elif named is not None:
            items = self._directory.list_named(user_ids(named))
        else:
            items = self._directory.list_demo()
        return web.json_response({"items": items})

    async def _avatar(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        user = self._directory.find(name.removesuffix(".svg"))
        if user is None or not name.endswith(".svg"):
            raise ProblemError(404, "there is no such avatar")
        return web.Response(
            text=avatar_svg(user.user_id, user.display_name),
            content_type="image/svg+xml",
            headers={
                "Cache-Control": "public, max-age=3600",
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
                "X-Content-Type-Options": "nosniff",
            },
        )
