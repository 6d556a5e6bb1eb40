"""Ask the public advisories about every pinned package, Python's and npm's.

    python tools/audit.py [--allow-offline]

Exit code 1: an advisory names one of our versions. Exit code 3: an advisory service did not answer
for all packages, so nothing is known of some; with `--allow-offline` that is said and counts as 0.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[1]
PIP_AUDIT = ROOT / ".cache/audit/bin/pip-audit"

FOUND: Final = 1
UNKNOWN: Final = 3
_TIMEOUT_S: Final = 300
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What one service said.

    Args:
        findings: A line for each package that an advisory names.
        unknown: Packages of which it said nothing, or why it said nothing at all.
    """

    name: str
    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    audited: int = 0


def read_pip_audit(text: str) -> Report:
    """Return what pip-audit's JSON says; a package it has skipped was not audited.

    An index without advisories makes it skip every package, and still say that none is vulnerable.
    """
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError):
        return Report("Python", unknown=["the advisory service did not answer"])
    skipped = [str(one["name"]) for one in packages if "skip_reason" in one]
    findings = [
        f"{one['name']} {one['version']}: {found['id']}"
        + (f", fixed in {', '.join(found['fix_versions'])}" if found["fix_versions"] else "")
        for one in packages
        for found in one.get("vulns", [])
    ]
    return Report("Python", findings, skipped, len(packages) - len(skipped))


def read_npm_audit(text: str) -> Report:
    """Return what npm's JSON says; an error of the registry is one of its forms."""
    try:
        said = json.loads(text)
        named, counts = said["vulnerabilities"], said["metadata"]["dependencies"]
    except (ValueError, KeyError):
        return Report("npm", unknown=["the advisory service did not answer"])
    findings = [f"{name} {one['range']}: {_advisories(one)}" for name, one in named.items()]
    return Report("npm", findings, audited=int(counts["total"]))


def verdict(reports: list[Report], *, allow_offline: bool) -> int:
    """Return the exit code."""
    if any(report.findings for report in reports):
        return FOUND
    if any(report.unknown for report in reports) and not allow_offline:
        return UNKNOWN
    return 0


def describe(report: Report) -> str:
    """Return what a person reads of *report*."""
    lines = [f"{report.name}: {report.audited} packages audited, {len(report.findings)} advisories"]
    lines += [f"  {line}" for line in report.findings]
    if report.unknown:
        lines.append(f"  NOT AUDITED: {_shortened(report.unknown)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Audit, say what was found, and exit with the verdict.

    Raises:
        SystemExit: Always.

    """
    unknown = set(sys.argv[1:]) - {"--allow-offline"}
    if unknown:
        sys.exit("usage: audit.py [--allow-offline]")
    reports = [read_pip_audit(_run(*_pip_audit())), read_npm_audit(_run(*_npm_audit()))]
    for report in reports:
        sys.stdout.write(describe(report))
    sys.exit(verdict(reports, allow_offline="--allow-offline" in sys.argv))


def _shortened(names: list[str]) -> str:
    shown, more = names[:_SHOWN], len(names) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _advisories(one: Mapping[str, Any]) -> str:
    via = [one["via"]] if isinstance(one["via"], str) else one["via"]
    return ", ".join(each if isinstance(each, str) else str(each["url"]) for each in via)


def _pip_audit() -> tuple[str, ...]:
    # The file holds every package, pinned: nothing is resolved, and nothing installed.
    file = str(ROOT / "requirements-dev.txt")
    options = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")
    return (str(PIP_AUDIT), "--requirement", file, *options)


def _npm_audit() -> tuple[str, ...]:
    return ("npm", "audit", "--json", "--package-lock-only")


def _run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  # its words are ours
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    return done.stdout


if __name__ == "__main__":
    main()
