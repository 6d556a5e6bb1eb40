"""What Parley's templates must keep, one function per rule; each returns sentences with a line."""

import json
from collections.abc import Iterator

from tree_sitter import Node

from tests.unit.infra.bicep import (
    Declaration,
    Template,
    entries,
    entry,
    literal,
    mentions,
    parse,
    text,
    walk,
)
from tests.unit.infra.resource_types import API_VERSIONS, COSMOS_DATA_CONTRIBUTOR, ROLES

# Bicep's own functions, as far as they are used.
FUNCTIONS = {
    *("any", "concat", "empty", "environment", "guid", "items", "listKeys", "loadJsonContent"),
    *("loadTextContent", "resourceGroup", "resourceId", "split", "startsWith", "string"),
    *("subscription", "subscriptionResourceId", "tenant", "toLower", "toObject", "union"),
    "uniqueString",
}

# Deprecated on Flex Consumption: an app that has one is made, and does not start.
FORBIDDEN_ON_FLEX = {
    *("FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_PROCESS_COUNT"),
    *("WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING"),
    *("WEBSITE_CONTENTSHARE", "WEBSITE_VNET_ROUTE_ALL", "WEBSITE_TIME_ZONE", "TZ"),
    *("SCM_DO_BUILD_DURING_DEPLOYMENT", "ENABLE_ORYX_BUILD", "linuxFxVersion"),
    *("WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT", "basicPublishingCredentialsPolicies"),
}

# How each kind of service is told to take no keys, and no old TLS.
CLOSED = {
    "Microsoft.SignalRService/signalR": [("properties.disableLocalAuth", "true")],
    "Microsoft.DocumentDB/databaseAccounts": [
        ("properties.disableLocalAuth", "true"),
        ("properties.disableKeyBasedMetadataWriteAccess", "true"),
        ("properties.minimalTlsVersion", "'Tls12'"),
    ],
    "Microsoft.Cache/redisEnterprise": [("properties.minimumTlsVersion", "'1.2'")],
    "Microsoft.Cache/redisEnterprise/databases": [
        ("properties.accessKeysAuthentication", "'Disabled'"),
        ("properties.clientProtocol", "'Encrypted'"),
    ],
    "Microsoft.ServiceBus/namespaces": [
        ("properties.disableLocalAuth", "true"),
        ("properties.minimumTlsVersion", "'1.2'"),
    ],
    "Microsoft.Storage/storageAccounts": [
        ("properties.allowSharedKeyAccess", "false"),
        ("properties.allowBlobPublicAccess", "false"),
        ("properties.minimumTlsVersion", "'TLS1_2'"),
        ("properties.supportsHttpsTrafficOnly", "true"),
    ],
    "Microsoft.EventGrid/topics": [
        ("properties.disableLocalAuth", "true"),
        ("properties.minimumTlsVersionAllowed", "'1.2'"),
    ],
    "Microsoft.Insights/components": [("properties.DisableLocalAuth", "true")],
    "Microsoft.OperationalInsights/workspaces": [("properties.features.disableLocalAuth", "true")],
    "Microsoft.KeyVault/vaults": [
        ("properties.enableRbacAuthorization", "true"),
        ("properties.enablePurgeProtection", "true"),
    ],
    "Microsoft.Web/sites": [("properties.httpsOnly", "true")],
}

_SECRET_FUNCTIONS = {"listKeys", "listSecrets", "listAccountSas", "list"}
# What a literal is, by its node.
_KINDS = {
    "string": "string",
    "number": "int",
    "boolean": "bool",
    "array": "array",
    "object": "object",
}
_MODULE_PARAMETERS = {"scope", "params", "dependsOn", "name"}


def declared_type(parameter: Declaration) -> str:
    return text(next(one for one in parameter.node.named_children if one.type == "type"))


def mistyped_defaults(template: Template) -> list[str]:
    """Return parameters whose default is a literal of another type."""
    findings = []
    for one in template.of("param"):
        kind = None if one.required else _KINDS.get(one.node.named_children[-1].type)
        if kind not in {None, declared_type(one)}:
            findings.append(f"{template.name}:{one.line}: {one.name} is no {kind}")
    return findings


def unresolved_names(template: Template) -> list[str]:
    known = {*template.declarations, *FUNCTIONS}
    return [
        _at(template, node, f"{name} is declared nowhere")
        for name, node in mentions(template)
        if name not in known
    ]


def unused_names(template: Template) -> list[str]:
    used = {name for name, _ in mentions(template)}
    return [
        f"{template.name}:{one.line}: {one.name} is used nowhere"
        for one in template.declarations.values()
        if one.kind in {"param", "var"} and one.name not in used
    ]


def wrong_modules(template: Template) -> list[str]:
    findings: list[str] = []
    for module in template.of("module"):
        path = template.path.parent / module.target
        if not path.is_file():
            findings.append(f"{template.name}:{module.line}: no file {module.target}")
            continue
        findings += _wrong_parameters(template, module, parse(path))
    return findings


def wrong_outputs(template: Template) -> list[str]:
    modules = {
        one.name: parse(template.path.parent / one.target)
        for one in template.of("module")
        if (template.path.parent / one.target).is_file()
    }
    return [
        _at(template, node, f"{module} has no output {output}")
        for node, module, output in _reads_of_outputs(template)
        if module in modules and output not in modules[module].outputs
    ]


def wrong_versions(template: Template) -> list[str]:
    findings = []
    for resource in template.of("resource"):
        kind, _, version = resource.target.partition("@")
        if API_VERSIONS.get(kind) != version:
            findings.append(f"{template.name}:{resource.line}: {resource.target} is not agreed on")
    return findings


def wrong_roles(template: Template) -> list[str]:
    """Every GUID in a template is a role that is agreed on, under the name it has there."""
    known = {*ROLES.values(), COSMOS_DATA_CONTRIBUTOR}
    findings = [
        _at(template, node, f"{text(node)} is no known role")
        for node in walk(template.root)
        if node.type == "string_content" and _is_guid(text(node)) and _guid_of(node) not in known
    ]
    roles = template.declarations.get("roles")
    if roles is not None and roles.body is not None:
        findings += [
            _at(template, place, f"{name} is another role's id")
            for name, value, place in entries(roles.body)
            if ROLES.get(name) != literal(value)
        ]
    return findings


def forbidden_settings(template: Template) -> list[str]:
    return [
        _at(template, node, f"{text(node)} must not be set on Flex Consumption")
        for node in walk(template.root)
        if node.type in {"identifier", "string_content", "property_identifier"}
        and text(node) in FORBIDDEN_ON_FLEX
    ]


def open_doors(template: Template) -> list[str]:
    """Return what takes keys, old TLS or public reads."""
    findings = []
    for resource in template.of("resource"):
        kind = resource.target.partition("@")[0]
        if resource.existing:
            continue
        for path, wanted in CLOSED.get(kind, []):
            value = entry(resource.body, *path.split("."))
            if value is None or text(value) != wanted:
                findings.append(f"{template.name}:{resource.line}: {path} must be {wanted}")
    return findings


def leaked_keys(template: Template) -> list[str]:
    """Return calls that read a key: allowed in upstream.bicep alone, and never in an output."""
    findings = [
        _at(template, node, f"{text(node.named_children[0])} reads a key")
        for node in walk(template.root)
        if node.type == "call_expression"
        and text(node.named_children[0]) in _SECRET_FUNCTIONS
        and template.name != "upstream.bicep"
    ]
    if template.name == "upstream.bicep":
        findings += [f"{template.name}:{one.line}: an output" for one in template.outputs.values()]
    return findings


def undescribed_principals(template: Template) -> list[str]:
    """A role assignment names the kind of its principal and derives its own name from it."""
    findings = []
    for resource in template.of("resource"):
        if not resource.target.startswith("Microsoft.Authorization/roleAssignments@"):
            continue
        kind = literal(entry(resource.body, "properties", "principalType"))
        name = entry(resource.body, "name")
        if kind != "ServicePrincipal":
            findings.append(f"{template.name}:{resource.line}: principalType is not given")
        if name is None or not text(name).startswith("guid(") or "rincipal" not in text(name):
            findings.append(f"{template.name}:{resource.line}: the name is not the principal's")
    return findings


RULES = (
    mistyped_defaults,
    unresolved_names,
    unused_names,
    wrong_modules,
    wrong_outputs,
    wrong_versions,
    wrong_roles,
    forbidden_settings,
    open_doors,
    leaked_keys,
    undescribed_principals,
)


def azd_parameters(template: Template, document: str) -> list[str]:
    """Check main.parameters.json: ARM JSON, whose names are parameters, none of them missing."""
    given = set(json.loads(document)["parameters"])
    declared = {one.name: one for one in template.of("param")}
    missing = {name for name, one in declared.items() if one.required} - given
    return [f"no parameter {name}" for name in sorted(given - set(declared))] + [
        f"{name} is not given" for name in sorted(missing)
    ]


def _wrong_parameters(template: Template, module: Declaration, callee: Template) -> Iterator[str]:
    accepted = {one.name: one for one in callee.of("param")}
    params = entry(module.body, "params")
    given = {} if params is None else {name: place for name, _, place in entries(params)}
    for name, place in given.items():
        if name not in accepted:
            yield _at(template, place, f"{module.target} takes no {name}")
        elif (kind := _KINDS.get(place.named_children[-1].type)) not in {
            None,
            declared_type(accepted[name]),
        }:
            yield _at(template, place, f"{name} takes no {kind}")
    for name, one in accepted.items():
        if one.required and name not in given:
            yield f"{template.name}:{module.line}: {module.target} needs {name}"
    for name, _, place in entries(module.body) if module.body is not None else []:
        if name not in _MODULE_PARAMETERS:
            yield _at(template, place, f"a module has no {name}")


def _reads_of_outputs(template: Template) -> Iterator[tuple[Node, str, str]]:
    for node in walk(template.root):
        if node.type != "member_expression":
            continue
        parts = text(node).replace("?", "").replace("!", "").split(".")
        if len(parts) == 3 and parts[1] == "outputs":
            yield node, parts[0], parts[2]


def _at(template: Template, node: Node, sentence: str) -> str:
    return f"{template.name}:{node.start_point[0] + 1}: {sentence}"


def _is_guid(value: str) -> bool:
    tail = value.rpartition("/")[2]
    return len(tail) == 36 and [len(part) for part in tail.split("-")] == [8, 4, 4, 4, 12]


def _guid_of(node: Node) -> str:
    return text(node).rpartition("/")[2]
