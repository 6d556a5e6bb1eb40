"""Write what the deployed app and the page are made of: CycloneDX JSON, in dist/sbom/.

`app.cdx.json` is made from requirements.txt, `page.cdx.json` from package-lock.json. A bill that
does not name every pinned package is refused.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[1]
CYCLONEDX = ROOT / ".cache/audit/bin/cyclonedx-py"
TARGET = ROOT / "dist/sbom"

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_TIMEOUT_S: Final = 120
_TOOL: Final = {"name": "cdx:npm:package:development", "value": "true"}

type Package = tuple[str, str]


def pinned(requirements: str) -> set[Package]:
    """Return the packages and versions that a requirements file pins."""
    return {(_normal(name), version) for name, version in _PIN.findall(requirements)}


def shipped(lock: Mapping[str, Any]) -> set[Package]:
    """Return the packages and versions of a package-lock.json that are no tools of development."""
    return {
        (path.rpartition("node_modules/")[2], str(one["version"]))
        for path, one in lock["packages"].items()
        if "node_modules/" in path and not one.get("dev") and not one.get("link")
    }


def named(bill: Mapping[str, Any]) -> set[Package]:
    """Return the packages and versions that a CycloneDX bill names."""
    return {
        (_full_name(one), str(one.get("version", "")))
        for one in bill.get("components", [])
        if one.get("type") == "library"
    }


def without_tools(text: str) -> str:
    """Return npm's bill without what is only needed to build and test."""
    bill = json.loads(text)
    tools = {one["bom-ref"] for one in bill["components"] if _TOOL in one.get("properties", [])}
    bill["components"] = [one for one in bill["components"] if one["bom-ref"] not in tools]
    bill["dependencies"] = [
        {**one, "dependsOn": [each for each in one.get("dependsOn", []) if each not in tools]}
        for one in bill.get("dependencies", [])
        if one["ref"] not in tools
    ]
    return json.dumps(bill, indent=2) + "\n"


def main() -> None:
    """Write both bills.

    Raises:
        SystemExit: A tool failed, or a bill lacks a package.

    """
    TARGET.mkdir(parents=True, exist_ok=True)
    app = _run(str(CYCLONEDX), "requirements", "requirements.txt", "--of", "JSON", *_reproducible())
    # Not `--omit dev`: npm then leaves out as well what both a tool and the page depend on.
    page = _run("npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only")
    _write("app", app, pinned((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    _write("page", without_tools(page), shipped(lock))


def _reproducible() -> tuple[str, ...]:
    return ("--output-reproducible", "--pyproject", "pyproject.toml")


def _write(name: str, text: str, expected: set[Package]) -> None:
    missing = expected - named(json.loads(text))
    if missing:
        lacks = ", ".join(sorted(f"{package} {version}" for package, version in missing))
        sys.exit(f"sbom: the bill of the {name} lacks {lacks}")
    path = TARGET / f"{name}.cdx.json"
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{path}: {len(expected)} packages\n")


def _full_name(component: Mapping[str, Any]) -> str:
    group, name = component.get("group", ""), str(component["name"])
    is_python = str(component.get("purl", "")).startswith("pkg:pypi/")
    return _normal(name) if is_python else f"{group}/{name}" if group else name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503


def _run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  # its words are ours
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    if done.returncode:
        sys.exit(f"sbom: {command[0]} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main()
