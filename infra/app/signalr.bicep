// The connections of the clients. The upstream block stands here and nowhere else, so that no later
// provision removes it: the webhook's key is not in it but in the vault, where upstream.bicep puts it
// after the first deployment. SignalR Service reads it from there by the `edge` identity.
param location string
param tags object
param token string
param siteOrigins array
param closed bool
param edgeIdentityId string

@description('https://<app>: where the service sends what clients do.')
param appUrl string

@description('Where the webhook key lies: https://<vault>/secrets/<name>, without a version.')
param webhookKeyUri string

@description('{sku, units, maximumUnits, replicas: [{location, units}]}')
param plan object

var premium = startsWith(plan.sku, 'Premium')

resource service 'Microsoft.SignalRService/signalR@2024-03-01' = {
  name: 'sigr-${token}'
  location: location
  tags: tags
  kind: 'SignalR'
  sku: {
    name: plan.sku
    tier: split(plan.sku, '_')[0]
    capacity: plan.units
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${edgeIdentityId}': {}
    }
  }
  properties: {
    features: [
      { flag: 'ServiceMode', value: 'Serverless' }
      { flag: 'EnableConnectivityLogs', value: 'true' }
      { flag: 'EnableMessagingLogs', value: 'false' }
    ]
    disableLocalAuth: true
    disableAadAuth: false
    publicNetworkAccess: 'Enabled'
    tls: { clientCertEnabled: false }
    cors: { allowedOrigins: siteOrigins }
    serverless: { connectionTimeoutInSeconds: 30 }
    // Clients always come from outside; the app's calls come through the private endpoint when
    // there is one.
    networkACLs: {
      defaultAction: 'Allow'
      publicNetwork: { deny: closed ? ['ServerConnection', 'RESTAPI', 'Trace'] : ['ServerConnection', 'Trace'] }
    }
    upstream: {
      templates: [
        {
          hubPattern: 'chat'
          categoryPattern: '*'
          eventPattern: '*'
          urlTemplate: '${appUrl}/runtime/webhooks/signalr?code={@Microsoft.KeyVault(SecretUri=${webhookKeyUri})}'
          auth: { type: 'None' }
        }
      ]
    }
  }
}

resource replicas 'Microsoft.SignalRService/signalR/replicas@2024-03-01' = [
  for replica in plan.replicas: {
    parent: service
    name: 'replica-${replica.location}'
    location: replica.location
    tags: tags
    sku: {
      name: plan.sku
      tier: split(plan.sku, '_')[0]
      capacity: replica.units
    }
    properties: {}
  }
]

// A unit is paid by the day and holds a thousand connections: it is worth following the day's course.
resource autoscale 'Microsoft.Insights/autoscalesettings@2022-10-01' = if (premium && plan.maximumUnits > plan.units) {
  name: 'autoscale-${service.name}'
  location: location
  tags: tags
  properties: {
    enabled: true
    targetResourceUri: service.id
    profiles: [
      {
        name: 'connections'
        capacity: {
          minimum: string(plan.units)
          maximum: string(plan.maximumUnits)
          default: string(plan.units)
        }
        rules: [
          {
            metricTrigger: {
              metricName: 'ConnectionQuotaUtilization'
              metricResourceUri: service.id
              timeGrain: 'PT1M'
              statistic: 'Max'
              timeWindow: 'PT5M'
              timeAggregation: 'Maximum'
              operator: 'GreaterThan'
              threshold: 70
            }
            scaleAction: {
              direction: 'Increase'
              type: 'ServiceAllowedNextValue'
              value: '1'
              cooldown: 'PT5M'
            }
          }
          {
            metricTrigger: {
              metricName: 'ConnectionQuotaUtilization'
              metricResourceUri: service.id
              timeGrain: 'PT1M'
              statistic: 'Max'
              timeWindow: 'PT30M'
              timeAggregation: 'Maximum'
              operator: 'LessThan'
              threshold: 20
            }
            scaleAction: {
              direction: 'Decrease'
              type: 'ServiceAllowedNextValue'
              value: '1'
              cooldown: 'PT1H'
            }
          }
        ]
      }
    ]
  }
}

output id string = service.id
output name string = service.name
output hostName string = service.properties.hostName
