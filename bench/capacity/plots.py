"""Line charts on logarithmic axes, as SVG, written by hand: no package is worth two pictures."""

import math
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH, _HEIGHT = 900, 470
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 290, 46, 52
# Distinct in print and to most who cannot tell red from green. Source: Okabe and Ito, 2008.
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_DASHES: Final = ("none", "6 3", "2 3")


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over users. `mark` draws a horizontal line at one value, with its meaning."""

    title: str
    across: str
    up: str
    lines: tuple[Line, ...]
    mark: tuple[float, str] | None = None

    def svg(self) -> str:
        scale = _Scale.of(self)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            'font-family="sans-serif" font-size="12" role="img" '
            f'aria-label="{escape(self.title)}">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            _text(_LEFT, 24, self.title, size=15),
            *scale.axes(self.across, self.up),
            *self._marked(scale),
            *(part for i, line in enumerate(self.lines) for part in self._line(scale, i, line)),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _marked(self, scale: "_Scale") -> list[str]:
        if self.mark is None:
            return []
        value, meaning = self.mark
        y = scale.y(value)
        return [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="black" stroke-width="1.5"/>',
            _text(_LEFT + 6, y - 5, meaning),
        ]

    def _line(self, scale: "_Scale", i: int, line: Line) -> list[str]:
        colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[i // len(_COLOURS)]
        inside = [(x, y) for x, y in line.points if scale.low <= y]
        drawn = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in inside)
        y = _TOP + 8 + i * 20
        x = _WIDTH - _RIGHT + 14
        stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        return [
            f'<polyline points="{drawn}" fill="none" {stroke}/>',
            f'<line x1="{x}" x2="{x + 22}" y1="{y - 4}" y2="{y - 4}" {stroke}/>',
            _text(x + 28, y, line.name),
        ]


@dataclass(frozen=True, slots=True)
class _Scale:
    left: float
    right: float
    low: float
    high: float

    @classmethod
    def of(cls, chart: Chart) -> "_Scale":
        xs = [x for line in chart.lines for x, _ in line.points]
        ys = [y for line in chart.lines for _, y in line.points if y > 0]
        ys += [chart.mark[0]] if chart.mark else []
        top = 10 ** math.ceil(math.log10(max(ys)))
        # Six decades are readable; what lies below is nothing beside the rest.
        return cls(min(xs), max(xs), max(10 ** math.floor(math.log10(min(ys))), top / 1e6), top)

    def x(self, value: float) -> float:
        share = math.log10(value / self.left) / math.log10(self.right / self.left)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, across: str, up: str) -> list[str]:
        parts = [
            _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, across, anchor="middle"),
            _text(_LEFT - 64, _TOP - 10, up),
        ]
        for value in _decades(self.left, self.right):
            x = self.x(value)
            parts += [_rule(x, x, _TOP, _HEIGHT - _BOTTOM)]
            parts += [_text(x, _HEIGHT - _BOTTOM + 18, short(value), anchor="middle")]
        for value in _decades(self.low, self.high):
            y = self.y(value)
            parts += [_rule(_LEFT, _WIDTH - _RIGHT, y, y)]
            parts += [_text(_LEFT - 8, y + 4, short(value), anchor="end")]
        return parts


def short(value: float) -> str:
    """Return *value* in at most five characters: 10k, 2.5M, 0.01."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _decades(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [10.0**power for power in range(first, last + 1)]


def _rule(x1: float, x2: float, y1: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" '
        'stroke="#cccccc" stroke-width="0.7"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )
