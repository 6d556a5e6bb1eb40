// Run once by azd's postprovision: the key that signs Web Push (RFC 8292). It is made on the machine
// that provisions and goes straight into the vault. A new key makes every subscription invalid, so
// the hook never replaces one.
param vaultName string
param secretName string = 'vapid-private-key'

@secure()
param privateKey string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource vapidKey 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: secretName
  properties: {
    value: privateKey
    contentType: 'VAPID private key, base64url of 32 bytes'
  }
}
