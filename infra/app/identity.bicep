// Who the parts are. `app` is everything the function app does; `edge` is what SignalR Service and
// Application Gateway read from the vault with, and may do nothing else.
param location string
param tags object
param token string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-app-${token}'
  location: location
  tags: tags
}

resource edge 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-edge-${token}'
  location: location
  tags: tags
}

output appId string = app.id
output appName string = app.name
output appClientId string = app.properties.clientId
output appPrincipalId string = app.properties.principalId
output edgeId string = edge.id
output edgePrincipalId string = edge.properties.principalId
