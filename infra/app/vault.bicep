// Two secrets that Azure gives no identity for: the VAPID key that signs Web Push, and the key of the
// SignalR webhook. Neither is in these templates; infra/secrets/ writes them.
param location string
param tags object
param token string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    // Flex Consumption does not resolve references to a vault behind a firewall, and SignalR Service
    // reads from outside any network: roles are the guard.
    publicNetworkAccess: 'Enabled'
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
