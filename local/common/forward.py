"""Pass an HTTP request on to another local port, streaming both bodies.

The front door uses it towards the Functions host, the fault proxy towards Azurite. Path, query
and headers go through as they came: a signature over them still holds.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024
_RETRY_PAUSE_S = 0.05

# Between two neighbours only: RFC 9110 §7.6.1. The length is kept, so framing stays the sender's.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class NotSentError(Exception):
    """Nobody listened at the target: the request was certainly not carried out."""


class NoAnswerError(Exception):
    """The connection broke before an answer: the request may have been carried out."""


class _BrokenAnswerError(Exception):
    """The connection broke amid the answer."""


def client_session() -> aiohttp.ClientSession:
    """Return a session fit for `forward`: bodies untouched, no cookies, no limit of connections."""
    return aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=15),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=240),
        skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
    )


async def forward(
    session: aiohttp.ClientSession,
    request: web.Request,
    port: int,
    *,
    added: dict[str, str] | None = None,
    removed: str | None = None,
    patience_s: float = 0.0,
) -> web.StreamResponse:
    """Send *request* to 127.0.0.1:*port* and stream the answer back.

    Args:
        added: Headers to set on the way.
        removed: Headers whose names begin so, in lower case, are left out on the way.
        patience_s: Seconds to go on trying while nobody listens; safe for every method, since
            nothing was sent.

    Raises:
        NotSentError: Nobody listened within *patience_s*.
        NoAnswerError: The connection broke before the answer's headers.

    """
    deadline = asyncio.get_running_loop().time() + patience_s
    answer = None
    while answer is None:
        try:
            answer = await _ask(session, request, port, _passed_on(request, added or {}, removed))
        except aiohttp.ClientConnectorError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise NotSentError from error
            await asyncio.sleep(_RETRY_PAUSE_S)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswerError from error
    async with answer:
        return await _relay(request, answer)


async def _ask(
    session: aiohttp.ClientSession, request: web.Request, port: int, headers: CIMultiDict[str]
) -> aiohttp.ClientResponse:
    return await session.request(
        request.method,
        URL(f"http://127.0.0.1:{port}{request.raw_path}", encoded=True),
        headers=headers,
        data=request.content if request.body_exists else None,
        allow_redirects=False,
    )


def _passed_on(
    request: web.Request, added: dict[str, str], removed: str | None
) -> CIMultiDict[str]:
    headers = _end_to_end(request.headers)
    if removed is not None:
        for name in {name for name in headers if name.lower().startswith(removed)}:
            headers.popall(name)
    headers.update(added)
    return headers


async def _relay(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    reply = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=_end_to_end(answer.headers)
    )
    chunks = answer.content.iter_chunked(_CHUNK_BYTES)
    try:
        await reply.prepare(request)
        while (chunk := await _next(chunks)) is not None:
            await reply.write(chunk)
        await reply.write_eof()
    except _BrokenAnswerError:
        # The status is on its way: only a broken connection says that the answer is not whole.
        logger.warning("%s %s: the answer broke off", request.method, request.path)
        if request.transport is not None:
            request.transport.abort()
    except ConnectionResetError:
        logger.info("%s %s: the client left before the answer ended", request.method, request.path)
    return reply


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await anext(chunks, None)
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise _BrokenAnswerError from error


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = headers.copy()
    listed = {name.strip().lower() for name in named.get("Connection", "").split(",")}
    for name in _HOP_BY_HOP | listed:
        named.popall(name, None)
    return named
