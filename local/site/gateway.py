"""The way from the front door to the Functions host."""

import aiohttp
from aiohttp import web

from local.common.forward import NoAnswerError, NotSentError, forward
from local.site.problems import UnavailableError

# What App Service Authentication alone may say: it removes them from what clients send, and so
# does this door. Source: Microsoft Learn, "Work with user identities in Azure App Service".
_OF_THE_PLATFORM = "x-ms-client-principal"
# A host that was killed listens again within this time, as a rule.
_PATIENCE_S = 3.0


class Gateway:
    """Passes `/api`, `/admin` and `/runtime` on to the host, which decides everything else."""

    def __init__(self, session: aiohttp.ClientSession, host_port: int) -> None:
        self._session = session
        self._host_port = host_port

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, every method of each."""
        return [
            web.route("*", f"/{prefix}/{{path:(?s:.*)}}", self._pass_on)
            for prefix in ("api", "admin", "runtime")
        ]

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        added = {
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": request.host,
            "X-Forwarded-For": _forwarded_for(request),
        }
        try:
            return await forward(
                self._session,
                request,
                self._host_port,
                added=added,
                removed=_OF_THE_PLATFORM,
                patience_s=_PATIENCE_S,
            )
        except NotSentError as error:
            detail = "the Functions host does not listen; the request was not carried out"
            raise UnavailableError(detail) from error
        except NoAnswerError as error:
            detail = "the Functions host went away; the request may have been carried out"
            raise UnavailableError(detail) from error


def _forwarded_for(request: web.Request) -> str:
    # As App Service's front end does it: what the client said stays, its own address comes last.
    addresses = request.headers.getall("X-Forwarded-For", [])
    return ", ".join([*addresses, request.remote or "unknown"])
