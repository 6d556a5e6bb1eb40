"""What is missing is said in one sentence, before anything is started or installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT
from tools.requirements import FILES

TOOLS = ("cat", "cksum", "dirname", "find", "git", "head", "id", "mkdir", "sed", "sh", "touch")


def run_setup(tools: Path) -> subprocess.CompletedProcess[str]:
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    return subprocess.run(
        [str(tools / "sh"), str(ROOT / "tools" / "setup.sh")],
        env={"PATH": str(tools), "HOME": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_machine_without_node_is_told_to_install_it(tmp_path: Path) -> None:
    done = run_setup(tmp_path)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "node is missing" in done.stderr


@pytest.mark.parametrize("version", ["v18.19.0", "v9.0.0"])
def test_a_node_that_is_too_old_is_named(tmp_path: Path, version: str) -> None:
    script(tmp_path / "node", f"echo {version}")
    script(tmp_path / "npm", "exit 0")

    done = run_setup(tmp_path)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert version in done.stderr
    assert "20" in done.stderr


def test_another_python_is_told_which_one_is_needed() -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 11, 2, 'final', 0); "
        "runpy.run_module('local', run_name='__main__')"
    )

    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "3.13 is needed, and this is 3.11" in done.stderr


def test_a_python_without_the_packages_is_told_how_to_get_them() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "local"],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "make setup" in done.stderr


def test_a_dependency_that_was_not_pinned_is_found(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    for name in ("pyproject.toml", *FILES):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "tools" / "requirements.py", tmp_path / "tools" / "requirements.py")
    check = [sys.executable, str(tmp_path / "tools" / "requirements.py"), "check"]

    fresh = subprocess.run(check, capture_output=True, text=True, check=False)
    project = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    changed = project.replace("dependencies = [", 'dependencies = [\n    "attrs",', 1)
    (tmp_path / "pyproject.toml").write_text(changed, encoding="utf-8")
    stale = subprocess.run(check, capture_output=True, text=True, check=False)

    assert fresh.returncode == 0
    assert stale.returncode == 1
    assert "make lock" in stale.stderr
