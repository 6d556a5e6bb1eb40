// A network for the app's outgoing calls, the private endpoints and the gateway. It costs nothing
// while nothing stands in it, so it is always there and no later change of a parameter moves the app.
param location string
param tags object
param token string

// Application Gateway v2 refuses a subnet without this rule for its own management.
resource gatewayRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-gateway-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'gateway-management'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'GatewayManager'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '65200-65535'
        }
      }
      {
        name: 'clients'
        properties: {
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRanges: ['80', '443']
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.60.0.0/16'] }
    subnets: [
      {
        // Flex Consumption takes an address for every instance: a /22 holds a thousand.
        name: 'app'
        properties: {
          addressPrefix: '10.60.0.0/22'
          delegations: [
            {
              name: 'functions'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.60.4.0/24' }
      }
      {
        // The service endpoint lets the app admit this subnet and nobody else.
        name: 'gateway'
        properties: {
          addressPrefix: '10.60.5.0/24'
          networkSecurityGroup: { id: gatewayRules.id }
          serviceEndpoints: [{ service: 'Microsoft.Web' }]
        }
      }
    ]
  }
}

output networkId string = network.id
output appSubnetId string = '${network.id}/subnets/app'
output endpointSubnetId string = '${network.id}/subnets/endpoints'
output gatewaySubnetId string = '${network.id}/subnets/gateway'
