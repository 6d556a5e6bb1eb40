// The store. Every container comes from data-model.json, which the local stack reads too; the app
// itself may create none (its role covers data only).
param location string
param secondaryLocation string
param tags object
param token string
param zoneRedundant bool
param closed bool

@description('{maxThroughput: {<container>: RU/s}, totalThroughputLimit: RU/s, or -1 for none}')
param plan object

var model = loadJsonContent('../data-model.json')

var places = empty(secondaryLocation) ? [location] : [location, secondaryLocation]

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' = {
  name: 'cosmos-${token}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [
      for (place, i) in places: {
        locationName: place
        failoverPriority: i
        isZoneRedundant: zoneRedundant
      }
    ]
    // A session token orders one worker's own reads and writes; docs/architecture.md says what the
    // app does where another worker's write may still be invisible.
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
    enableAutomaticFailover: !empty(secondaryLocation)
    // A hot conversation raises its own partition alone. Can be chosen at creation only.
    enablePerRegionPerPartitionAutoscale: true
    enableBurstCapacity: true
    enablePartitionMerge: true
    capacity: { totalThroughputLimit: plan.totalThroughputLimit }
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: 'Continuous7Days' }
    }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-10-15' = {
  parent: account
  name: model.database
  properties: {
    resource: { id: model.database }
  }
}

resource containers 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-10-15' = [
  for container in model.containers: {
    parent: database
    name: container.name
    properties: {
      resource: {
        id: container.name
        partitionKey: {
          paths: container.partitionKey.paths
          kind: container.partitionKey.kind
          version: container.partitionKey.version
        }
        uniqueKeyPolicy: { uniqueKeys: container.?uniqueKeyPolicy.?uniqueKeys ?? [] }
        indexingPolicy: {
          indexingMode: 'consistent'
          automatic: true
          includedPaths: container.?indexingPolicy.?includedPaths ?? [{ path: '/*' }]
          excludedPaths: container.?indexingPolicy.?excludedPaths ?? []
        }
      }
      options: {
        autoscaleSettings: { maxThroughput: plan.maxThroughput[container.name] }
      }
    }
  }
]

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint
output database string = database.name
