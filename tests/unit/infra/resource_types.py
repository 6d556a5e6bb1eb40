"""What the templates may use: resource types with their versions, models, roles, functions."""

# API versions were chosen from the published type definitions (Azure/bicep-types-az, August 2026):
# the newest stable one, or one stable step below it.
API_VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Cache/redisEnterprise": "2025-07-01",
    "Microsoft.Cache/redisEnterprise/databases": "2025-07-01",
    "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments": "2025-07-01",
    "Microsoft.Cdn/profiles": "2025-06-01",
    "Microsoft.Cdn/profiles/afdEndpoints": "2025-06-01",
    "Microsoft.Cdn/profiles/afdEndpoints/routes": "2025-06-01",
    "Microsoft.Cdn/profiles/originGroups": "2025-06-01",
    "Microsoft.Cdn/profiles/originGroups/origins": "2025-06-01",
    "Microsoft.Cdn/profiles/securityPolicies": "2025-06-01",
    "Microsoft.Consumption/budgets": "2024-08-01",
    "Microsoft.DocumentDB/databaseAccounts": "2025-10-15",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases": "2025-10-15",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers": "2025-10-15",
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments": "2025-10-15",
    "Microsoft.EventGrid/topics": "2025-02-15",
    "Microsoft.EventGrid/topics/eventSubscriptions": "2025-02-15",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/autoscalesettings": "2022-10-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2025-05-01",
    "Microsoft.KeyVault/vaults/secrets": "2025-05-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies": "2025-05-01",
    "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies": "2024-02-01",
    "Microsoft.Network/applicationGateways": "2025-05-01",
    "Microsoft.Network/networkSecurityGroups": "2025-05-01",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2025-05-01",
    "Microsoft.Network/publicIPAddresses": "2025-05-01",
    "Microsoft.Network/virtualNetworks": "2025-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Resources/resourceGroups": "2025-04-01",
    "Microsoft.Security/defenderForStorageSettings": "2025-06-01",
    "Microsoft.ServiceBus/namespaces": "2024-01-01",
    "Microsoft.ServiceBus/namespaces/queues": "2024-01-01",
    "Microsoft.SignalRService/signalR": "2024-03-01",
    "Microsoft.SignalRService/signalR/replicas": "2024-03-01",
    "Microsoft.Storage/storageAccounts": "2025-06-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2025-06-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2025-06-01",
    "Microsoft.Storage/storageAccounts/managementPolicies": "2025-06-01",
    "Microsoft.Web/serverfarms": "2025-03-01",
    "Microsoft.Web/sites": "2025-03-01",
    "Microsoft.Web/sites/config": "2025-03-01",
}

_COSMOS = "cosmosdb"
_STORAGE = "storage"
_NETWORK = "network"
_CDN = "cdn"
_MONITOR = "monitor"

# The model classes of each type; several where what is written and what is read differ.
MODELS: dict[str, list[tuple[str, str]]] = {
    "Microsoft.Authorization/roleAssignments": [
        ("authorization", "RoleAssignmentCreateParameters")
    ],
    "Microsoft.Cache/redisEnterprise": [("redisenterprise", "Cluster")],
    "Microsoft.Cache/redisEnterprise/databases": [("redisenterprise", "Database")],
    "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments": [
        ("redisenterprise", "AccessPolicyAssignment")
    ],
    "Microsoft.Cdn/profiles": [(_CDN, "Profile")],
    "Microsoft.Cdn/profiles/afdEndpoints": [(_CDN, "AFDEndpoint")],
    "Microsoft.Cdn/profiles/afdEndpoints/routes": [(_CDN, "Route")],
    "Microsoft.Cdn/profiles/originGroups": [(_CDN, "AFDOriginGroup")],
    "Microsoft.Cdn/profiles/originGroups/origins": [(_CDN, "AFDOrigin")],
    "Microsoft.Cdn/profiles/securityPolicies": [(_CDN, "SecurityPolicy")],
    "Microsoft.Consumption/budgets": [("consumption", "Budget")],
    "Microsoft.DocumentDB/databaseAccounts": [
        (_COSMOS, "DatabaseAccountCreateUpdateParameters"),
        (_COSMOS, "DatabaseAccountGetResults"),
    ],
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases": [
        (_COSMOS, "SqlDatabaseCreateUpdateParameters")
    ],
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers": [
        (_COSMOS, "SqlContainerCreateUpdateParameters")
    ],
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments": [
        (_COSMOS, "SqlRoleAssignmentCreateUpdateParameters")
    ],
    "Microsoft.EventGrid/topics": [("eventgrid", "Topic")],
    "Microsoft.EventGrid/topics/eventSubscriptions": [("eventgrid", "EventSubscription")],
    "Microsoft.Insights/actionGroups": [(_MONITOR, "ActionGroupResource")],
    "Microsoft.Insights/autoscalesettings": [(_MONITOR, "AutoscaleSettingResource")],
    "Microsoft.Insights/components": [("applicationinsights", "ApplicationInsightsComponent")],
    "Microsoft.Insights/diagnosticSettings": [(_MONITOR, "DiagnosticSettingsResource")],
    "Microsoft.Insights/metricAlerts": [(_MONITOR, "MetricAlertResource")],
    "Microsoft.Insights/scheduledQueryRules": [
        ("monitor.v2022_08_01_preview", "ScheduledQueryRuleResource")
    ],
    "Microsoft.Insights/workbooks": [("applicationinsights", "Workbook")],
    "Microsoft.KeyVault/vaults": [("keyvault", "VaultCreateOrUpdateParameters")],
    "Microsoft.KeyVault/vaults/secrets": [("keyvault", "SecretCreateOrUpdateParameters")],
    "Microsoft.ManagedIdentity/userAssignedIdentities": [("msi", "Identity")],
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies": [
        (_NETWORK, "WebApplicationFirewallPolicy")
    ],
    "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies": [
        ("frontdoor", "WebApplicationFirewallPolicy")
    ],
    "Microsoft.Network/applicationGateways": [(_NETWORK, "ApplicationGateway")],
    "Microsoft.Network/networkSecurityGroups": [(_NETWORK, "NetworkSecurityGroup")],
    "Microsoft.Network/privateDnsZones": [("privatedns", "PrivateZone")],
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": [("privatedns", "VirtualNetworkLink")],
    "Microsoft.Network/privateEndpoints": [(_NETWORK, "PrivateEndpoint")],
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": [(_NETWORK, "PrivateDnsZoneGroup")],
    "Microsoft.Network/publicIPAddresses": [(_NETWORK, "PublicIPAddress")],
    "Microsoft.Network/virtualNetworks": [(_NETWORK, "VirtualNetwork")],
    "Microsoft.OperationalInsights/workspaces": [("loganalytics", "Workspace")],
    "Microsoft.Resources/resourceGroups": [("resource.resources", "ResourceGroup")],
    "Microsoft.Security/defenderForStorageSettings": [("security", "DefenderForStorageSetting")],
    "Microsoft.ServiceBus/namespaces": [("servicebus", "SBNamespace")],
    "Microsoft.ServiceBus/namespaces/queues": [("servicebus", "SBQueue")],
    "Microsoft.SignalRService/signalR": [("signalr", "SignalRResource")],
    "Microsoft.SignalRService/signalR/replicas": [("signalr", "Replica")],
    "Microsoft.Storage/storageAccounts": [
        (_STORAGE, "StorageAccountCreateParameters"),
        (_STORAGE, "StorageAccount"),
    ],
    "Microsoft.Storage/storageAccounts/blobServices": [(_STORAGE, "BlobServiceProperties")],
    "Microsoft.Storage/storageAccounts/blobServices/containers": [(_STORAGE, "BlobContainer")],
    "Microsoft.Storage/storageAccounts/managementPolicies": [(_STORAGE, "ManagementPolicy")],
    "Microsoft.Web/serverfarms": [("web", "AppServicePlan")],
    "Microsoft.Web/sites": [("web", "Site")],
    "Microsoft.Web/sites/config": [("web", "SiteAuthSettingsV2")],
}

PACKAGES = sorted(
    {
        f"azure-mgmt-{package.partition('.')[0]}"
        for classes in MODELS.values()
        for package, _ in classes
    }
)

# Roles by the name the templates use. Source: learn.microsoft.com, "Azure built-in roles".
ROLES = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageBlobDelegator": "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "signalrServiceOwner": "7e4f1700-ea5a-4f59-8f37-079cfe29dce3",
    "serviceBusDataSender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "serviceBusDataReceiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
}
COSMOS_DATA_CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
