// Two accounts, because their doors differ: `host` serves the Functions host alone and can be shut to
// the public; browsers upload to `files` themselves, with a link for one blob that the app signs.
param location string
param tags object
param token string
param sku string
param siteOrigins array
param closed bool

@description('Event Grid topic that takes the verdicts of Defender for Storage. Empty: no scanning.')
param scanTopicId string

var model = loadJsonContent('../data-model.json')

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: 'sthost${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: closed ? 'Deny' : 'Allow'
    }
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: host
  name: 'default'
}

resource deployments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: hostBlobs
  name: 'deployments'
  properties: { publicAccess: 'None' }
}

resource files 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: 'stfile${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
  }
}

resource fileBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: files
  name: 'default'
  properties: {
    cors: {
      corsRules: [
        {
          allowedOrigins: siteOrigins
          allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT']
          allowedHeaders: ['content-type', 'x-ms-blob-type', 'x-ms-version']
          exposedHeaders: ['etag', 'x-ms-request-id']
          maxAgeInSeconds: 3600
        }
      ]
    }
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for name in model.blobContainers: {
    parent: fileBlobs
    name: name
    properties: { publicAccess: 'None' }
  }
]

// Files are read in their first days and kept for good: colder storage is cheaper, and still opens
// at once. Uploads that were begun and never finished go by themselves after seven days.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: files
  name: 'default'
  dependsOn: [fileBlobs]
  properties: {
    policy: {
      rules: [
        {
          name: 'older-files-are-colder'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['attachments/files/']
            }
            actions: {
              baseBlob: {
                tierToCool: { daysAfterModificationGreaterThan: 30 }
                tierToCold: { daysAfterModificationGreaterThan: 90 }
              }
            }
          }
        }
      ]
    }
  }
}

resource scanning 'Microsoft.Security/defenderForStorageSettings@2025-06-01' = if (!empty(scanTopicId)) {
  scope: files
  name: 'current'
  properties: {
    isEnabled: true
    overrideSubscriptionLevelSettings: true
    malwareScanning: {
      onUpload: {
        isEnabled: true
        capGBPerMonth: 5000
      }
      scanResultsEventGridTopicResourceId: scanTopicId
    }
    sensitiveDataDiscovery: { isEnabled: false }
  }
}

output hostId string = host.id
output hostName string = host.name
output hostBlobEndpoint string = host.properties.primaryEndpoints.blob
output hostQueueEndpoint string = host.properties.primaryEndpoints.queue
output hostTableEndpoint string = host.properties.primaryEndpoints.table
output deploymentContainerUrl string = '${host.properties.primaryEndpoints.blob}${deployments.name}'
output filesName string = files.name
output filesBlobEndpoint string = files.properties.primaryEndpoints.blob
