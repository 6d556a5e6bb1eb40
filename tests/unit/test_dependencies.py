"""Audit and bill of materials: nothing skipped counts as good, nothing pinned is left out."""

import json
from typing import Any

import pytest

from tests.stack import ROOT
from tools import audit, requirements, sbom

CLEAN = {"dependencies": [{"name": "redis", "version": "8.1.0", "vulns": []}]}
NPM_CLEAN: dict[str, Any] = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 631}}}


def test_packages_without_advisories_are_fine() -> None:
    reports = [
        audit.read_pip_audit(json.dumps(CLEAN)),
        audit.read_npm_audit(json.dumps(NPM_CLEAN)),
    ]

    assert audit.verdict(reports, allow_offline=False) == 0
    assert [report.audited for report in reports] == [1, 631]


def test_an_advisory_is_told_with_its_fix_and_fails_even_offline() -> None:
    found = {"id": "PYSEC-1", "fix_versions": ["8.2"]}
    text = json.dumps({"dependencies": [{"name": "redis", "version": "8.1.0", "vulns": [found]}]})

    report = audit.read_pip_audit(text)

    assert "redis 8.1.0: PYSEC-1, fixed in 8.2" in audit.describe(report)
    assert audit.verdict([report], allow_offline=True) == audit.FOUND


def test_an_advisory_of_npm_is_told() -> None:
    named = {"range": "<7.5.10", "via": ["tool", {"url": "https://example.com/GHSA-1"}]}
    text = json.dumps({**NPM_CLEAN, "vulnerabilities": {"ws": named}})

    report = audit.read_npm_audit(text)

    assert report.findings == ["ws <7.5.10: tool, https://example.com/GHSA-1"]
    assert audit.verdict([report], allow_offline=False) == audit.FOUND


@pytest.mark.parametrize(
    "report",
    [
        audit.read_pip_audit(""),
        audit.read_pip_audit('{"dependencies": [{"name": "redis", "skip_reason": "not found"}]}'),
        audit.read_npm_audit('{"message": "405 Method Not Allowed", "error": {}}'),
        audit.read_npm_audit("no JSON"),
    ],
)
def test_silence_is_not_taken_for_a_good_answer(report: audit.Report) -> None:
    assert "NOT AUDITED" in audit.describe(report)
    assert audit.verdict([report], allow_offline=False) == audit.UNKNOWN
    assert audit.verdict([report], allow_offline=True) == 0


def test_the_pins_of_the_app_are_read() -> None:
    pins = sbom.pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"))

    assert {"azure-functions", "pyjwt", "typing-extensions"} <= {name for name, _ in pins}
    assert all(version[0].isdigit() for _, version in pins)


def test_what_the_page_ships_is_told_from_its_tools() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))

    names = {name for name, _ in sbom.shipped(lock)}

    assert {"react", "react-dom", "@microsoft/signalr"} <= names
    assert not {"vite", "typescript", "@parley/sdk"} & names


def test_a_bill_names_packages_as_they_are_pinned() -> None:
    python = {"type": "library", "name": "Typing_Extensions", "version": "4", "purl": "pkg:pypi/x"}
    npm = {"type": "library", "group": "@microsoft", "name": "signalr", "version": "10"}
    other = {"type": "file", "name": "x"}

    named = sbom.named({"components": [python, npm, other]})

    assert named == {("typing-extensions", "4"), ("@microsoft/signalr", "10")}


def test_tools_are_taken_out_of_npms_bill() -> None:
    tool = {"bom-ref": "vite@1", "properties": [sbom._TOOL]}
    react = {"bom-ref": "react@1", "properties": []}
    tree = [{"ref": "page", "dependsOn": ["react@1", "vite@1"]}, {"ref": "vite@1"}]

    bill = json.loads(
        sbom.without_tools(json.dumps({"components": [tool, react], "dependencies": tree}))
    )

    assert bill == {
        "components": [react],
        "dependencies": [{"ref": "page", "dependsOn": ["react@1"]}],
    }


@pytest.mark.skipif(not sbom.CYCLONEDX.exists(), reason="the tools are not installed (make sbom)")
def test_the_bills_are_made_and_name_every_pinned_package(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sbom, "TARGET", tmp_path / "dist")

    sbom.main()

    app = json.loads((tmp_path / "dist/app.cdx.json").read_text(encoding="utf-8"))
    page = json.loads((tmp_path / "dist/page.cdx.json").read_text(encoding="utf-8"))
    pins = sbom.pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert sbom.named(app) == pins
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert sbom.shipped(lock) <= sbom.named(page)
    assert [app["bomFormat"], page["bomFormat"]] == ["CycloneDX", "CycloneDX"]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_tools_are_not_in_the_working_environment() -> None:
    (ROOT / "requirements-audit.txt").read_text(encoding="utf-8").index("pip-audit==")
    dev = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")

    assert [one for one in requirements.group("audit") if one.partition(">")[0] in dev] == []
