"""The built web client, as any static host would serve it."""

from pathlib import Path

from aiohttp import web

from local.common.settings import Ports
from local.site.problems import ProblemError

_HINT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Parley</title>
<h1>The page is not built yet</h1>
<p>Run <code>make run</code>, or <code>npm ci &amp;&amp; npm run build</code>, then load this
again. Everything else works: try <a href="/dev/users">/dev/users</a>.</p>
</html>
"""

# What the page is made of; the system's own table differs from machine to machine.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


class Pages:
    """Serves *folder*; any path without a dot is the page's own and gets `index.html`."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self._folder = folder
        self._headers = {
            "Content-Security-Policy": content_policy(ports),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the route that takes what no other took; it must come last."""
        return [web.get("/{path:.*}", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = self._find(path)
        if file is not None:
            hashed = path.startswith("assets/")
            lasts = "public, max-age=31536000, immutable" if hashed else "no-cache"
            return self._file(file, lasts)
        if "." in path.rpartition("/")[2] or path.startswith(("dev/", "assets/")):
            raise ProblemError(404, "there is no such page")
        index = self._find("index.html")
        if index is None:
            return web.Response(text=_HINT, content_type="text/html", headers=self._headers)
        return self._file(index, "no-cache")

    def _file(self, path: Path, lasts: str) -> web.FileResponse:
        content_type = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        headers = {"Cache-Control": lasts, "Content-Type": content_type}
        return web.FileResponse(path, headers={**self._headers, **headers})

    def _find(self, path: str) -> Path | None:
        # A path that leads out of the folder, by dots or by a link, is no path in it.
        if "\0" in path:
            return None
        candidate = (self._folder / path).resolve()
        inside = candidate.is_relative_to(self._folder.resolve())
        return candidate if inside and candidate.is_file() else None


def content_policy(ports: Ports) -> str:
    """Return the policy that lets the page reach itself, SignalR and Blob Storage, and no more."""
    names = ("127.0.0.1", "localhost")
    site = " ".join(f"http://{name}:{ports.front}" for name in names)
    blobs = " ".join(f"http://{name}:{ports.blob}" for name in names)
    signalr = " ".join(
        f"{scheme}://{name}:{ports.signalr}" for name in names for scheme in ("http", "ws")
    )
    rules = (
        "default-src 'self'",
        f"connect-src 'self' {site} {signalr} {blobs}",
        f"img-src 'self' data: blob: {site} {blobs}",
        f"media-src 'self' blob: {blobs}",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(rules)
