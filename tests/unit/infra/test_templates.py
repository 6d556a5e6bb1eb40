"""Bicep without its compiler: syntax, names, modules, versions, roles, properties.

The models are of the templates' API versions or older ones, so that a property in them is there;
only those of Service Bus and SignalR Service are later. What this cannot see: types of values other
than enumerations and literals, required properties, quotas, and whatever only Azure itself checks.
No template was ever deployed from here.
"""

import pytest

from tests.unit.infra.bicep import INFRA, Template, load_all, parse, syntax_errors
from tests.unit.infra.properties import Schema, check_properties
from tests.unit.infra.resource_types import API_VERSIONS, MODELS
from tests.unit.infra.rules import RULES, azd_parameters

TEMPLATES = load_all()


def by_name(template: Template) -> str:
    return template.name


def findings(template: Template) -> list[str]:
    return [
        *syntax_errors(template),
        *(sentence for rule in RULES for sentence in rule(template)),
        *check_properties(template, Schema.load()),
    ]


def test_there_is_a_template_for_each_concern() -> None:
    assert len(TEMPLATES) >= 20


@pytest.mark.parametrize("template", TEMPLATES, ids=by_name)
def test_a_template_has_no_finding(template: Template) -> None:
    assert findings(template) == []


def test_every_agreed_type_is_used_and_has_a_model() -> None:
    used = {one.target.partition("@")[0] for file in TEMPLATES for one in file.of("resource")}

    assert used == set(API_VERSIONS) == set(MODELS)


def test_azd_gives_every_parameter_that_has_no_default() -> None:
    main = parse(INFRA / "main.bicep")
    document = (INFRA / "main.parameters.json").read_text(encoding="utf-8")

    assert azd_parameters(main, document) == []


# Each: a file, what stands there, what a slip of the hand makes of it, and what is said of it.
SLIPS = [
    ("functions.bicep", "scaleAndConcurrency: {", "scaleAndConcurency: {", "scaleAndConcurency"),
    ("functions.bicep", "perInstanceConcurrency:", "instanceConcurrency:", "instanceConcurrency"),
    ("functions.bicep", "instanceMemoryMB:", "instanceMemory:", "instanceMemory"),
    ("functions.bicep", "type: 'UserAssignedIdentity'", "type: 'UserAssigned'", "UserAssigned"),
    ("functions.bicep", "appSettings: appSettings", "appSettings: appSetings", "appSetings"),
    ("functions.bicep", "  AZURE_CLIENT_ID:", "  FUNCTIONS_WORKER_RUNTIME:", "must not be set"),
    ("functions.bicep", "app.properties.defaultHostName", "app.properties.hostName", "to read"),
    ("signalr.bicep", "disableLocalAuth: true", "disableLocalauth: true", "disableLocalauth"),
    ("signalr.bicep", "disableLocalAuth: true", "disableLocalAuth: false", "must be true"),
    ("signalr.bicep", "hubPattern:", "hubPatern:", "hubPatern"),
    ("signalr.bicep", "'ServiceAllowedNextValue'", "'NextValue'", "NextValue"),
    ("cosmos.bicep", "enableBurstCapacity: true", "enableBurst: true", "enableBurst"),
    ("cosmos.bicep", "Level: 'Session'", "Level: 'Sesion'", "cannot be Sesion"),
    ("cosmos.bicep", "maxThroughput: plan", "maxThrougput: plan", "maxThrougput"),
    ("redis.bicep", "'EnterpriseCluster'", "'Enterprise'", "cannot be Enterprise"),
    ("redis.bicep", "'Disabled'\n  }\n}\n\nresource appA", "'Enabled'\n  }\n}\n\nresource appA",
     "accessKeysAuthentication"),
    ("service-bus.bicep", "lockDuration:", "lockDurations:", "lockDurations"),
    ("storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "must be false"),
    ("storage.bicep", "tierToCold:", "tierToColder:", "tierToColder"),
    ("rbac.bicep", "7e4f1700-ea5a", "7e4f1700-ea5b", "is no known role"),
    ("rbac.bicep", "principalType: 'ServicePrincipal'", "principalType: 'User'", "principalType"),
    ("rbac.bicep", "roleAssignments@2022-04-01", "roleAssignments@2022-04-02", "not agreed on"),
    ("gateway.bicep", "pickHostNameFromBackendAddress", "pickHostName", "pickHostName"),
    ("gateway.bicep", "'RateLimitRule'", "'RateRule'", "cannot be RateRule"),
    ("alerts.bicep", "evaluationFrequency: 'PT1M'", "frequency: 'PT1M'", "frequency"),
    ("main.bicep", "closed: privateNetwork", "close: privateNetwork", "takes no close"),
    ("main.bicep", "'app/redis.bicep'", "'app/reddis.bicep'", "no file"),
    ("main.bicep", "plan: plan.redis", "plan: 'Balanced_B0'", "plan takes no string"),
    ("main.bicep", "privateNetwork bool = false", "privateNetwork bool = 'false'", "is no string"),
    ("main.bicep", "redis.outputs.hostName", "redis.outputs.host", "has no output"),
    ("main.bicep", "    subnetId: privateNetwork ? network.outputs.appSubnetId : ''\n", "",
     "needs subnetId"),
    ("main.bicep", "plan: plan.redis", "plan: plann.redis", "plann is declared nowhere"),
    ("main.bicep", "output PARLEY_FRONT string = front", "output PARLEY_FRONT string =", "parsed"),
    ("vault.bicep", "output uri string", "output secret object = listKeys(vault.id, '1')\n"
     "output uri string", "reads a key"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "said"), SLIPS, ids=[one[2] for one in SLIPS])
def test_a_slip_is_found(name: str, right: str, wrong: str, said: str) -> None:
    path = next(one.path for one in TEMPLATES if one.name == name)
    source = path.read_text(encoding="utf-8")
    assert right in source
    slipped = parse(path, source.replace(right, wrong, 1))

    found = findings(slipped)

    assert any(said in sentence for sentence in found), found
