// Where Defender for Storage says what it found. The subscription of the function is made after the
// code is there: infra/scan.bicep.
param location string
param tags object
param token string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: 'evgt-${token}'
  location: location
  tags: tags
  properties: {
    inputSchema: 'EventGridSchema'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

output id string = topic.id
output name string = topic.name
