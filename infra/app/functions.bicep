// The function app on Flex Consumption, and every setting it reads: here and nowhere else, because
// each later write of app settings replaces the whole set. infra/README.md lists them.
param location string
param tags object
param token string
param zoneRedundant bool
param siteOrigins array
param subnetId string
param identityId string
param identityClientId string
param deploymentContainerUrl string

@description('{memoryMB, maximumInstances, httpConcurrency, alwaysReady: [{name, instanceCount}]}')
param plan object

@description('Addresses and choices by their setting names: all but what identity adds.')
param settings object

@description('Replaces or adds settings, for instance {CHAT_LIMIT_MESSAGES: "10/s:100"}.')
param extraSettings object

@description('Who may call, beside everybody when it is empty: App Service access restrictions.')
param admitted array

@description('jwt: the app checks the website\'s tokens itself. easyauth: the platform does, with Entra ID.')
param authMode string
param entraClientId string
param entraIssuer string

@description('easyauth: the audience of the website\'s own calls, which the app tells from its users\'.')
param siteAudience string

// Azure's own clients take an identity by these two beside the address.
var connections = [
  'AzureWebJobsStorage'
  'AzureSignalRConnectionString'
  'CosmosConnection'
  'ServiceBusConnection'
  'BlobConnection'
  'NotificationHubConnection'
]
var credentials = toObject(connections, name => '${name}__credential', name => 'managedidentity')
var clientIds = toObject(connections, name => '${name}__clientId', name => identityClientId)
var own = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
}

var appSettings = [
  for setting in items(union(settings, own, credentials, clientIds, extraSettings)): {
    name: setting.key
    value: setting.value
  }
]

resource hosting 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: hosting.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: plan.memoryMB
        maximumInstanceCount: plan.maximumInstances
        alwaysReady: plan.alwaysReady
        // Python's default is one call at a time; the handlers are async, and a call mostly waits.
        triggers: {
          http: { perInstanceConcurrency: plan.httpConcurrency }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: { allowedOrigins: siteOrigins, supportCredentials: false }
      ipSecurityRestrictions: admitted
      ipSecurityRestrictionsDefaultAction: empty(admitted) ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsUseMain: false
      appSettings: appSettings
    }
  }
}

// The webhooks of SignalR and Event Grid have their own keys and cannot sign in; health must answer a
// probe. Not verified in Azure: that Event Grid's needs to stand here, and the claim `aud` of a caller.
resource platformAuth 'Microsoft.Web/sites/config@2025-03-01' = if (authMode == 'easyauth') {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: ['/runtime/webhooks/signalr', '/runtime/webhooks/eventgrid', '/api/health']
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: entraIssuer
        }
        validation: { allowedAudiences: [entraClientId, 'api://${entraClientId}', siteAudience] }
      }
    }
    login: {
      tokenStore: { enabled: false }
    }
  }
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
