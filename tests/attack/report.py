"""What an attack found: how often it tried, what it was answered, and what should not have been."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SHOWN = 5  # findings of one attack that the printed report spells out


@dataclass
class Result:
    """One attack's outcome.

    Attributes:
        tries: Calls, frames or tokens that were sent.
        answers: How often each answer came, by status or code.
        findings: One sentence for each answer that breaks a promise; empty when all held.
    """

    name: str
    tries: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def saw(self, answer: str) -> None:
        """Count one try and its answer."""
        self.tries += 1
        self.answers[answer] += 1

    def require(self, holds: object, otherwise: str) -> None:
        """Note *otherwise* as a finding unless *holds*."""
        if not holds:
            self.findings.append(otherwise)

    @property
    def held(self) -> bool:
        return not self.findings


def text_of(results: Iterable[Result]) -> str:
    """Return the report as a person reads it, the verdict last."""
    results = list(results)
    lines = [line for result in results for line in _lines(result)]
    broken = sum(not result.held for result in results)
    tries = sum(result.tries for result in results)
    verdict = f"{broken} attack(s) found something" if broken else "everything held"
    return "\n".join([*lines, f"{len(results)} attacks, {tries} tries: {verdict}"])


def write(results: Iterable[Result], path: Path) -> None:
    """Write the report as JSON."""
    entries: list[dict[str, Any]] = [
        {
            "name": result.name,
            "tries": result.tries,
            "answers": dict(sorted(result.answers.items())),
            "findings": result.findings,
        }
        for result in results
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _lines(result: Result) -> list[str]:
    answers = ", ".join(f"{count} x {answer}" for answer, count in result.answers.most_common(6))
    lines = [
        f"{'held ' if result.held else 'FOUND'} {result.name}: {result.tries} tries; {answers}"
    ]
    lines += [f"      {finding[:500]}" for finding in result.findings[:_SHOWN]]
    if len(result.findings) > _SHOWN:
        lines.append(f"      and {len(result.findings) - _SHOWN} more")
    return lines
