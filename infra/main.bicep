// Parley in one resource group. `azd up` runs this, deploys the code, and then runs upstream.bicep
// (infra/hooks/postdeploy.sh), which needs a key that the deployed code makes.
//
// Written for tree-sitter-bicep and tests/unit/infra, which check it without the Bicep compiler: no
// spread, no resourceInput<>, no typed variables, local modules only.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
param environmentName string

@minLength(1)
param location string

@description('A second region for the store; automatic failover. Empty: one region.')
param secondaryLocation string = ''

@allowed(['pilot', '100k', '1m', '10m'])
@description('How many users: sizes/<size>.json says what it holds.')
param size string = 'pilot'

@description('Replaces the size as a whole: one of sizes/*.json edited, or given as a parameter file.')
param sizing object = {}

@allowed(['', 'gateway', 'frontdoor', 'direct'])
@description('What stands in front. Empty: as the size says. gateway needs hostName and certificateName.')
param edge string = ''

@description('The public name of the chat behind Application Gateway, for instance chat.example.com.')
param hostName string = ''

@description('Name of that name\'s certificate in this environment\'s vault.')
param certificateName string = ''

@description('Private endpoints for the store, Redis, the host\'s storage, SignalR\'s REST API, and Service Bus where it is Premium.')
param privateNetwork bool = false

@description('Origins of the pages that use the chat, separated by commas: https://www.example.com')
param siteOrigins string

@allowed(['jwt', 'easyauth'])
param authMode string = 'jwt'
param jwtIssuer string = ''
param jwtAudience string = ''
param jwtJwksUrl string = ''

@description('easyauth only: application id and issuer in Entra ID.')
param entraClientId string = ''
param entraIssuer string = ''

@description('The audience of the tokens that the website itself calls with, below /api/site. Not the users\' audience.')
param siteAudience string = 'parley-site'

@description('The only subject whose tokens those calls take. Empty: any of that audience.')
param siteSubject string = ''

@description('How far ahead the expiry of a token may lie, in seconds.')
param tokenMaxSeconds int = 86400

@description('Who answers for notifications: mailto: or https:, told to the browsers\' push services.')
param vapidSubject string

@description('Name of a notification hub for iOS and Android apps, and its namespace\'s host name. Empty: browsers alone.')
param notificationHub string = ''
param notificationHubNamespace string = ''

@description('Azure SQL with the website\'s users, by identity: Server=...;Database=...;Encrypt=true. Empty: no trigger.')
param sqlServerAndDatabase string = ''
param sqlTable string = 'dbo.Users'

@description('Let Defender for Storage scan uploads; a file is held back until its verdict has come.')
param malwareScanning bool = false

@description('Who gets alerts and budget mails. Empty: nobody, and no budget.')
param alertEmail string = ''

@description('First of the month in which the environment was made, 2026-01-01: infra/hooks/preprovision.sh sets it.')
param budgetStart string = ''

@description('Settings to add or to replace: {CHAT_LIMIT_MESSAGES: "10/s:100"}')
param extraSettings object = {}

var sizes = {
  pilot: loadJsonContent('sizes/pilot.json', 'parameters.sizing.value')
  '100k': loadJsonContent('sizes/100k.json', 'parameters.sizing.value')
  '1m': loadJsonContent('sizes/1m.json', 'parameters.sizing.value')
  '10m': loadJsonContent('sizes/10m.json', 'parameters.sizing.value')
}
var plan = empty(sizing) ? any(sizes[size]) : any(sizing)

var front = empty(edge) ? plan.edge : edge
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var origins = split(siteOrigins, ',')
var webhookKeyName = 'signalr-extension-key'
var vapidKeyName = 'vapid-private-key'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module network 'app/network.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module observability 'app/observability.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token, telemetry: plan.telemetry }
}

module vault 'app/vault.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module scanTopic 'app/scan-topic.bicep' = if (malwareScanning) {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module storage 'app/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    sku: plan.zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    siteOrigins: origins
    closed: privateNetwork
    scanTopicId: malwareScanning ? scanTopic!.outputs.id : ''
  }
}

module cosmos 'app/cosmos.bicep' = {
  scope: group
  params: {
    location: location
    secondaryLocation: secondaryLocation
    tags: tags
    token: token
    zoneRedundant: plan.zoneRedundant
    closed: privateNetwork
    plan: plan.cosmos
  }
}

module redis 'app/redis.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    closed: privateNetwork
    appPrincipalId: identity.outputs.appPrincipalId
    plan: plan.redis
  }
}

module serviceBus 'app/service-bus.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    closed: privateNetwork
    zoneRedundant: plan.zoneRedundant
    plan: plan.serviceBus
  }
}

module signalr 'app/signalr.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    siteOrigins: origins
    closed: privateNetwork
    edgeIdentityId: identity.outputs.edgeId
    appUrl: 'https://func-${token}.azurewebsites.net'
    webhookKeyUri: '${vault.outputs.uri}secrets/${webhookKeyName}'
    plan: plan.signalr
  }
}

module rbac 'app/rbac.bicep' = {
  scope: group
  params: {
    appPrincipalId: identity.outputs.appPrincipalId
    edgePrincipalId: identity.outputs.edgePrincipalId
    hostStorageName: storage.outputs.hostName
    filesStorageName: storage.outputs.filesName
    cosmosName: cosmos.outputs.name
    cosmosDatabase: cosmos.outputs.database
    serviceBusName: serviceBus.outputs.name
    signalrName: signalr.outputs.name
    insightsName: observability.outputs.insightsName
    vaultName: vault.outputs.name
  }
}

var everyService = [
  { name: 'host', serviceId: storage.outputs.hostId, group: 'blob', zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { name: 'host-queue', serviceId: storage.outputs.hostId, group: 'queue', zone: 'privatelink.queue.${environment().suffixes.storage}' }
  { name: 'host-table', serviceId: storage.outputs.hostId, group: 'table', zone: 'privatelink.table.${environment().suffixes.storage}' }
  { name: 'cosmos', serviceId: cosmos.outputs.id, group: 'Sql', zone: 'privatelink.documents.azure.com' }
  { name: 'redis', serviceId: redis.outputs.id, group: 'redisEnterprise', zone: 'privatelink.redis.azure.net' }
  { name: 'signalr', serviceId: signalr.outputs.id, group: 'signalr', zone: 'privatelink.service.signalr.net' }
]
var premiumQueue = [
  { name: 'service-bus', serviceId: serviceBus.outputs.id, group: 'namespace', zone: 'privatelink.servicebus.windows.net' }
]

module privateEndpoints 'app/private-endpoints.bicep' = if (privateNetwork) {
  scope: group
  params: {
    location: location
    tags: tags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointSubnetId
    endpoints: plan.serviceBus.sku == 'Premium' ? concat(everyService, premiumQueue) : everyService
  }
}

module frontDoor 'app/front-door.bicep' = if (front == 'frontdoor') {
  scope: group
  params: { tags: tags, token: token }
}

// Clients reach SignalR Service by the address that `negotiate` tells them.
var gatewayUrl = 'https://${hostName}'
var frontDoorUrl = front == 'frontdoor' ? 'https://${frontDoor!.outputs.hostName}' : ''
var clientSettings = front == 'frontdoor'
  ? { AzureSignalRConnectionString__clientEndpoint: frontDoorUrl }
  : (front == 'gateway' && plan.signalr.throughGateway ? { AzureSignalRConnectionString__clientEndpoint: gatewayUrl } : {})

// Who may call the app past the edge: the edge, SignalR Service with what clients do, and Event Grid.
var fromServices = [
  { name: 'signalr', priority: 200, action: 'Allow', tag: 'ServiceTag', ipAddress: 'AzureSignalR' }
  { name: 'event-grid', priority: 210, action: 'Allow', tag: 'ServiceTag', ipAddress: 'AzureEventGrid' }
]
var fromGateway = [
  { name: 'gateway', priority: 100, action: 'Allow', vnetSubnetResourceId: network.outputs.gatewaySubnetId }
]
var fromFrontDoor = [
  {
    name: 'front-door'
    priority: 100
    action: 'Allow'
    tag: 'ServiceTag'
    ipAddress: 'AzureFrontDoor.Backend'
    headers: { 'x-azure-fdid': [front == 'frontdoor' ? frontDoor!.outputs.frontDoorId : ''] }
  }
]
var admitted = front == 'gateway'
  ? concat(fromGateway, fromServices)
  : (front == 'frontdoor' ? concat(fromFrontDoor, fromServices) : [])

var sqlSettings = empty(sqlServerAndDatabase)
  ? { SqlConnection: 'none', 'AzureWebJobs.users_changed.Disabled': 'true' }
  : {
      SqlConnection: '${sqlServerAndDatabase};Authentication=Active Directory Managed Identity;User Id=${identity.outputs.appClientId}'
      'AzureWebJobs.users_changed.Disabled': 'false'
    }

module functions 'app/functions.bicep' = {
  scope: group
  // The app reads its package and its stores from its first second on.
  dependsOn: [rbac, privateEndpoints]
  params: {
    location: location
    tags: tags
    token: token
    zoneRedundant: plan.zoneRedundant
    siteOrigins: origins
    subnetId: privateNetwork ? network.outputs.appSubnetId : ''
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    plan: plan.functions
    admitted: admitted
    authMode: authMode
    entraClientId: entraClientId
    entraIssuer: entraIssuer
    siteAudience: siteAudience
    extraSettings: union(clientSettings, sqlSettings, extraSettings)
    settings: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: observability.outputs.insightsConnectionString
      AzureWebJobsStorage__blobServiceUri: storage.outputs.hostBlobEndpoint
      AzureWebJobsStorage__queueServiceUri: storage.outputs.hostQueueEndpoint
      AzureWebJobsStorage__tableServiceUri: storage.outputs.hostTableEndpoint
      AzureSignalRConnectionString__serviceUri: 'https://${signalr.outputs.hostName}'
      CosmosConnection__accountEndpoint: cosmos.outputs.endpoint
      ServiceBusConnection__fullyQualifiedNamespace: serviceBus.outputs.fullyQualifiedNamespace
      BlobConnection__blobServiceUri: storage.outputs.filesBlobEndpoint
      CHAT_COSMOS_DATABASE: cosmos.outputs.database
      CHAT_REDIS_URL: ''
      CHAT_REDIS_HOST: redis.outputs.hostName
      CHAT_AUTH_MODE: authMode
      CHAT_JWT_ISSUER: jwtIssuer
      CHAT_JWT_AUDIENCE: jwtAudience
      CHAT_JWT_JWKS_URL: jwtJwksUrl
      CHAT_JWT_MAX_SECONDS: string(tokenMaxSeconds)
      CHAT_SITE_AUDIENCE: siteAudience
      CHAT_SITE_SUBJECT: siteSubject
      CHAT_VAPID_PRIVATE_KEY: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/${vapidKeyName})'
      CHAT_VAPID_SUBJECT: vapidSubject
      CHAT_PUSH_HOSTS: 'fcm.googleapis.com,*.push.services.mozilla.com,web.push.apple.com,*.notify.windows.com'
      CHAT_NOTIFICATION_HUB: notificationHub
      NotificationHubConnection__fullyQualifiedNamespace: notificationHubNamespace
      CHAT_ATTACHMENTS_SCANNED: malwareScanning ? 'true' : 'false'
      CHAT_UPLOAD_QUOTA_BYTES: '1073741824'
      CHAT_LIMIT_OPEN_UPLOADS: '100'
      CHAT_SQL_TABLE: sqlTable
      CHAT_BUCKET_SIZE: '5000'
      CHAT_PRESENCE_LEASE_SECONDS: '300'
      CHAT_HEARTBEAT_SECONDS: '120'
      CHAT_RECEIPT_FLUSH_SECONDS: '5'
      CHAT_NOTIFY_DELAY_SECONDS: '8'
      CHAT_RECONNECT_WITHIN_SECONDS: '10'
      CHAT_EDGE: front
      CHAT_LIMIT_MESSAGES: '20/s:200'
      CHAT_LIMIT_CONVERSATIONS: '30/min:30'
      CHAT_LIMIT_GROUPS: '200/day:200'
      CHAT_LIMIT_LOOKUPS: '30/min:30'
      CHAT_LIMIT_UPLOADS: '60/min:60'
      CHAT_LIMIT_CONNECTIONS: '20'
      CHAT_LIMIT_NEGOTIATE: 'off'
      CHAT_LIMIT_NEGOTIATE_ADDRESS: '50/s:500'
      CHAT_LIMIT_NEGOTIATE_USER: '2/s:60'
      CHAT_LIMIT_OTHER: '50/s:200'
    }
  }
}

module alerts 'app/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: observability.outputs.workspaceId
    signalrId: signalr.outputs.id
    cosmosId: cosmos.outputs.id
    serviceBusId: serviceBus.outputs.id
    redisId: redis.outputs.id
    alertEmail: alertEmail
  }
}

module diagnostics 'app/diagnostics.bicep' = {
  scope: group
  params: {
    workspaceId: observability.outputs.workspaceId
    signalrName: signalr.outputs.name
    cosmosName: cosmos.outputs.name
    serviceBusName: serviceBus.outputs.name
    vaultName: vault.outputs.name
  }
}

module budget 'app/budget.bicep' = if (!empty(alertEmail) && !empty(budgetStart)) {
  scope: group
  params: {
    token: token
    amount: plan.monthlyBudget
    startDate: budgetStart
    alertEmail: alertEmail
  }
}

module gateway 'app/gateway.bicep' = if (front == 'gateway') {
  scope: group
  dependsOn: [rbac]
  params: {
    location: location
    tags: tags
    token: token
    zones: plan.zoneRedundant ? ['1', '2', '3'] : []
    subnetId: network.outputs.gatewaySubnetId
    hostName: hostName
    edgeIdentityId: identity.outputs.edgeId
    certificateUri: '${vault.outputs.uri}secrets/${certificateName}'
    appHostName: functions.outputs.hostName
    signalrHostName: signalr.outputs.hostName
    signalrThroughGateway: plan.signalr.throughGateway
    workspaceId: observability.outputs.workspaceId
    actionGroupIds: alerts.outputs.actionGroupIds
    plan: plan.gateway
  }
}

module frontDoorRoutes 'app/front-door-routes.bicep' = if (front == 'frontdoor') {
  scope: group
  params: {
    tags: tags
    token: token
    profileName: frontDoor!.outputs.profileName
    endpointName: frontDoor!.outputs.endpointName
    requestsPerMinute: plan.gateway.requestsPerMinute
    targets: [
      { name: 'api', hostName: functions.outputs.hostName, pattern: '/api/*' }
      { name: 'client', hostName: signalr.outputs.hostName, pattern: '/client/*' }
    ]
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = functions.outputs.name
output AZURE_SIGNALR_NAME string = signalr.outputs.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output PARLEY_SCAN_TOPIC string = malwareScanning ? scanTopic!.outputs.name : ''
output PARLEY_FRONT string = front
output PARLEY_GATEWAY_ADDRESS string = front == 'gateway' ? gateway!.outputs.publicName : ''
output PARLEY_URL string = front == 'gateway' ? gatewayUrl : (front == 'frontdoor' ? frontDoorUrl : 'https://${functions.outputs.hostName}')
output PARLEY_IDENTITY_NAME string = identity.outputs.appName
