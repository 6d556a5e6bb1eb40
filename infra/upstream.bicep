// The second, small template: azd's postdeploy runs it when the deployed app has started and the
// SignalR extension has made its webhook key, which nobody can make beforehand.
//
// It writes the key into the vault and nothing else. The upstream itself stands in app/signalr.bicep
// and refers to this secret, so the main template is always complete: provisioning it again, in any
// order, from any machine, changes neither the upstream nor the key. listKeys is evaluated by Azure
// and goes into the secret: it is in no output, no setting and no deployment history.
param functionName string
param vaultName string
param secretName string = 'signalr-extension-key'

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: functionName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource webhookKey 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = {
  parent: vault
  name: secretName
  properties: {
    value: listKeys('${app.id}/host/default', '2025-03-01').systemKeys.signalr_extension
    contentType: 'key of /runtime/webhooks/signalr'
  }
}
