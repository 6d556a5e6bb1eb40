"""Route templates of HTTP functions, matched as ASP.NET Core's router does.

Literals compare without regard to case, a trailing slash is ignored, and a literal beats a
parameter. Constraints are `int`, `long`, `bool`, `guid` and `alpha`; others are refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_][\w-]*)(?::([a-z]+))?(\?)?\}")
_CONSTRAINTS = {
    "int": re.compile(r"-?\d{1,10}"),
    "long": re.compile(r"-?\d{1,19}"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "guid": re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE),
    "alpha": re.compile(r"[a-z]*", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class _Segment:
    literal: str | None = None
    name: str = ""
    constraint: re.Pattern[str] | None = None
    is_optional: bool = False
    takes_rest: bool = False

    @property
    def precedence(self) -> int:
        if self.literal is not None:
            return 1
        return (4 if self.takes_rest else 2) + (self.constraint is None)


@dataclass(frozen=True, slots=True)
class RouteTemplate:
    """A parsed template, such as `conversations/{conversation_id}/members/{user_id?}`."""

    segments: tuple[_Segment, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sort key: of two templates that match a path, the lower one wins."""
        return tuple(segment.precedence for segment in self.segments)

    def match(self, path: Sequence[str]) -> dict[str, str] | None:
        """Return the route values when *path*, decoded segment by segment, fits; else None."""
        values: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.takes_rest:
                values[segment.name] = "/".join(path[position:])
                return values
            if position >= len(path):
                if not segment.is_optional:
                    return None
                continue
            if not _fits(segment, path[position]):
                return None
            if segment.literal is None:
                values[segment.name] = path[position]
        return values if len(path) <= len(self.segments) else None


def _fits(segment: _Segment, text: str) -> bool:
    if segment.literal is not None:
        return text.lower() == segment.literal
    return bool(text) and (segment.constraint is None or bool(segment.constraint.fullmatch(text)))


def parse_template(text: str) -> RouteTemplate:
    """Parse *text*.

    Raises:
        ValueError: It uses what is not supported: other constraints, defaults, or text and
            parameter in one segment.

    """
    parts = [part for part in text.strip("/").split("/") if part]
    return RouteTemplate(tuple(_segment(part) for part in parts))


def _segment(part: str) -> _Segment:
    if "{" not in part and "}" not in part:
        return _Segment(literal=part.lower())
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise ValueError(f"route segment {part!r} is not served by this host")
    stars, name, constraint, optional = match.groups()
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise ValueError(f"route constraint {constraint!r} is not served by this host")
    return _Segment(
        name=name,
        constraint=None if constraint is None else _CONSTRAINTS[constraint],
        is_optional=optional is not None,
        takes_rest=bool(stars),
    )


def split_path(raw_path: str) -> list[str]:
    """Return the decoded segments of *raw_path*; an encoded slash stays `%2F`, as in Kestrel."""
    parts = raw_path.partition("?")[0].removeprefix("/").removesuffix("/").split("/")
    return [_decoded(part) if "%" in part else part for part in parts]


def _decoded(part: str) -> str:
    return unquote(part.replace("%2F", "%252F").replace("%2f", "%252f"))
