// The queue between deciding whom to notify and notifying. Its terms come from data-model.json.
param location string
param tags object
param token string
param closed bool
param zoneRedundant bool

@description('{sku: Standard or Premium, capacity: messaging units of Premium}')
param plan object

var model = loadJsonContent('../data-model.json')
var premium = plan.sku == 'Premium'

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-${token}'
  location: location
  tags: tags
  sku: premium ? { name: 'Premium', tier: 'Premium', capacity: plan.capacity } : { name: 'Standard', tier: 'Standard' }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    // Only Premium has private endpoints; Standard is guarded by identity alone.
    publicNetworkAccess: closed && premium ? 'Disabled' : 'Enabled'
    zoneRedundant: zoneRedundant && premium
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for queue in model.queues: {
    parent: namespace
    name: queue.name
    properties: {
      lockDuration: queue.lockDuration
      maxDeliveryCount: queue.maxDeliveryCount
      requiresDuplicateDetection: queue.requiresDuplicateDetection
      duplicateDetectionHistoryTimeWindow: queue.duplicateDetectionHistoryTimeWindow
      defaultMessageTimeToLive: queue.defaultMessageTimeToLive
      deadLetteringOnMessageExpiration: queue.deadLetteringOnMessageExpiration
      enableBatchedOperations: true
    }
  }
]

output id string = namespace.id
output name string = namespace.name
output fullyQualifiedNamespace string = '${namespace.name}.servicebus.windows.net'
