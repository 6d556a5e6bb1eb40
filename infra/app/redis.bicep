// Live state: presence, heads, receipts since the last flush, limits. Losing it costs speed, never a
// message, so it is not persisted.
param location string
param tags object
param token string
param closed bool
param appPrincipalId string

@description('{sku, highAvailability}')
param plan object

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: 'redis-${token}'
  location: location
  tags: tags
  sku: { name: plan.sku }
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: plan.highAvailability ? 'Enabled' : 'Disabled'
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cluster
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    // The app's client knows one endpoint; the keys of each of its scripts share a hash tag, which is
    // all that this policy asks for.
    clusteringPolicy: 'EnterpriseCluster'
    // Full memory drops what has an expiry and can be rebuilt. What must not go (who is due for a
    // flush or for lapsing) has none.
    evictionPolicy: 'VolatileLRU'
    accessKeysAuthentication: 'Disabled'
  }
}

resource appAccess 'Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments@2025-07-01' = {
  parent: database
  name: 'app'
  properties: {
    accessPolicyName: 'default'
    user: { objectId: appPrincipalId }
  }
}

output id string = cluster.id
output name string = cluster.name
output hostName string = cluster.properties.hostName
