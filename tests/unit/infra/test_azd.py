"""What azd, the hooks, the pipeline and the emulators are given: all of it exists and is told."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.bicep import INFRA, parse
from tests.unit.infra.settings import ROOT

HOOKS = sorted((INFRA / "hooks").glob("*.sh"))
PARAMETERS = (INFRA / "main.parameters.json").read_text(encoding="utf-8")
VARIABLES = set(re.findall(r"\$\{(PARLEY_\w+)", PARAMETERS))


def read(*parts: str) -> str:
    return Path(ROOT, *parts).read_text(encoding="utf-8")


def test_actions_of_the_pipelines_are_pinned_by_commit() -> None:
    used = [
        line.strip().removeprefix("- ")
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(- )?uses:", line)
    ]

    assert len(used) >= 10
    for one in used:
        assert re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook.name))
def test_a_hook_is_a_shell_script_that_can_be_run(hook: Path) -> None:
    checked = subprocess.run(["sh", "-n", str(hook)], capture_output=True, text=True, check=False)

    assert checked.stderr == ""
    assert hook.stat().st_mode & 0o111


def test_azure_yaml_runs_every_hook_there_is() -> None:
    run = set(re.findall(r"run: (infra/hooks/\S+)", read("azure.yaml")))

    assert run == {str(hook.relative_to(ROOT)) for hook in HOOKS}


def test_a_hook_deploys_each_small_template_with_its_parameters() -> None:
    scripts = "\n".join(hook.read_text(encoding="utf-8") for hook in HOOKS)
    small = [path for path in INFRA.glob("*.bicep") if path.name != "main.bicep"]

    for path in small:
        assert f"--template-file infra/{path.name}" in scripts
        for one in parse(path).of("param"):
            assert not one.required or one.name in scripts


def test_a_hook_reads_only_what_azd_or_the_template_gives() -> None:
    outputs = set(parse(INFRA / "main.bicep").outputs)
    for hook in HOOKS:
        read_ = set(re.findall(r"\b((?:AZURE|PARLEY)_[A-Z_]+)", hook.read_text(encoding="utf-8")))

        assert read_ <= outputs | VARIABLES


def test_the_first_provision_says_what_is_missing_in_one_sentence() -> None:
    hook = INFRA / "hooks" / "preprovision.sh"
    done = subprocess.run(
        ["sh", str(hook)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 1
    assert done.stderr.startswith("parley: PARLEY_SITE_ORIGINS is not set: azd env set")
    assert done.stderr.count("\n") == 1


def test_the_gateway_without_a_certificate_is_refused_with_the_way_to_get_one() -> None:
    given = {
        "PATH": "/usr/bin:/bin",
        "PARLEY_SITE_ORIGINS": "https://www.example.com",
        "PARLEY_VAPID_SUBJECT": "mailto:chat@example.com",
        "PARLEY_JWT_ISSUER": "https://www.example.com",
        "PARLEY_JWT_AUDIENCE": "parley",
        "PARLEY_JWT_JWKS_URL": "https://www.example.com/jwks",
        "PARLEY_SIZE": "1m",
        "PARLEY_HOST_NAME": "chat.example.com",
    }
    hook = INFRA / "hooks" / "preprovision.sh"

    done = subprocess.run(["sh", str(hook)], capture_output=True, text=True, check=False, env=given)

    assert done.returncode == 1
    assert "az keyvault certificate import" in done.stderr


def test_every_variable_is_told_and_given_by_the_pipeline() -> None:
    readme, pipeline = read("infra", "README.md"), read(".github", "workflows", "deploy.yml")

    assert [name for name in sorted(VARIABLES) if f"`{name}`" not in readme] == []
    assert [name for name in sorted(VARIABLES) if f"      {name}: " not in pipeline] == []


def test_the_pipeline_stores_no_credential() -> None:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = path.read_text(encoding="utf-8")

        assert "secrets." not in workflow
        assert "permissions:" in workflow


def test_ci_runs_the_same_gate_as_a_developer() -> None:
    assert "- run: .ci/run" in read(".github", "workflows", "ci.yml")


def test_calls_of_azures_own_services_pass_the_platforms_sign_in() -> None:
    excluded = re.search(r"excludedPaths: \[(.*)\]", read("infra", "app", "functions.bicep"))

    assert excluded is not None
    paths = set(re.findall(r"'([^']+)'", excluded[1]))
    assert {"/runtime/webhooks/signalr", "/runtime/webhooks/eventgrid"} <= paths


@pytest.mark.parametrize("left_out", ["local", "tests", "infra", "web", "sdk", "bench", "docs"])
def test_what_is_not_the_app_is_not_deployed(left_out: str) -> None:
    assert left_out in read(".funcignore").splitlines()


def test_the_emulator_has_the_queues_of_the_model() -> None:
    model = json.loads(read("infra", "data-model.json"))
    emulator = json.loads(read("infra", "emulators", "service-bus.json"))
    queues = emulator["UserConfig"]["Namespaces"][0]["Queues"]
    # What the emulator caps: an hour of life, five minutes of duplicates.
    capped = {"duplicateDetectionHistoryTimeWindow", "defaultMessageTimeToLive"}

    for wanted, made in zip(model["queues"], queues, strict=True):
        assert made["Name"] == wanted["name"]
        for name in set(wanted) - capped - {"name"}:
            assert made["Properties"][name[0].upper() + name[1:]] == wanted[name]


def test_the_emulator_calls_the_port_of_core_tools() -> None:
    port = json.loads(read("local.settings.json.example"))["Host"]["LocalHttpPort"]

    assert f":{port}/runtime/webhooks/signalr" in read("infra", "emulators", "signalr.json")


def test_compose_listens_on_this_machine_only() -> None:
    published = re.findall(
        r'"([\d.:]+)"', "".join(re.findall(r"ports: (.*)", read("compose.yaml")))
    )

    assert published
    assert all(one.startswith("127.0.0.1:") for one in published)
