// Application Gateway with a web application firewall in front of /api and, if asked, /client (the
// connections to SignalR Service). WebSockets pass any listener; after the upgrade the firewall
// sees no more of them.
param location string
param tags object
param token string
param zones array
param subnetId string
param hostName string
param edgeIdentityId string

@description('https://<vault>/secrets/<certificate>, without a version: renewals are taken up.')
param certificateUri string
param appHostName string
param signalrHostName string
param signalrThroughGateway bool
param workspaceId string
param actionGroupIds array

@description('{minimum, maximum: capacity units; requestsPerMinute: of one address}')
param plan object

var name = 'agw-${token}'
var prefix = resourceId('Microsoft.Network/applicationGateways', name)

// People write anything to each other, SQL and markup included. These fields are never evaluated:
// they are stored as JSON values and shown as text.
var exclusions = [
  for field in ['body', 'title', 'fileName', 'displayName']: {
    matchVariable: 'RequestArgValues'
    selectorMatchOperator: 'Equals'
    selector: field
  }
]
var actions = [for id in actionGroupIds: { actionGroupId: id }]
var paths = signalrThroughGateway ? ['/api/', '/client/'] : ['/api/']

resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: 'pip-${token}'
  location: location
  tags: tags
  zones: zones
  sku: { name: 'Standard' }
  properties: {
    publicIPAllocationMethod: 'Static'
    dnsSettings: { domainNameLabel: 'parley-${token}' }
  }
}

resource firewall 'Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies@2025-05-01' = {
  name: 'waf-${token}'
  location: location
  tags: tags
  properties: {
    policySettings: {
      state: 'Enabled'
      mode: 'Prevention'
      requestBodyCheck: true
      // The app refuses more than 256 KB itself (triggers/decode.py); files do not come this way.
      maxRequestBodySizeInKb: 300
      fileUploadLimitInMb: 1
    }
    customRules: [
      {
        // Keeps /admin, /runtime and the rest of the host from outside.
        name: 'OnlyRoutedPaths'
        priority: 10
        ruleType: 'MatchRule'
        action: 'Block'
        matchConditions: [
          {
            matchVariables: [{ variableName: 'RequestUri' }]
            operator: 'BeginsWith'
            negationConditon: true
            matchValues: paths
          }
        ]
      }
      {
        // Coarse: many people share one address. The app limits each user (CHAT_LIMIT_...).
        name: 'RatePerAddress'
        priority: 20
        ruleType: 'RateLimitRule'
        action: 'Block'
        rateLimitDuration: 'OneMin'
        rateLimitThreshold: plan.requestsPerMinute
        groupByUserSession: [
          { groupByVariables: [{ variableName: 'ClientAddr' }] }
        ]
        matchConditions: [
          {
            matchVariables: [{ variableName: 'RequestUri' }]
            operator: 'BeginsWith'
            negationConditon: false
            matchValues: ['/']
          }
        ]
      }
    ]
    managedRules: {
      managedRuleSets: [
        { ruleSetType: 'Microsoft_DefaultRuleSet', ruleSetVersion: '2.1' }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' }
      ]
      exclusions: exclusions
    }
  }
}

resource gateway 'Microsoft.Network/applicationGateways@2025-05-01' = {
  name: name
  location: location
  tags: tags
  zones: zones
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${edgeIdentityId}': {}
    }
  }
  properties: {
    sku: { name: 'WAF_v2', tier: 'WAF_v2' }
    autoscaleConfiguration: { minCapacity: plan.minimum, maxCapacity: plan.maximum }
    enableHttp2: true
    firewallPolicy: { id: firewall.id }
    sslPolicy: { policyType: 'Predefined', policyName: 'AppGwSslPolicy20220101' }
    sslCertificates: [
      {
        name: 'site'
        properties: { keyVaultSecretId: certificateUri }
      }
    ]
    gatewayIPConfigurations: [
      {
        name: 'subnet'
        properties: {
          subnet: { id: subnetId }
        }
      }
    ]
    frontendIPConfigurations: [
      {
        name: 'public'
        properties: {
          publicIPAddress: { id: address.id }
        }
      }
    ]
    frontendPorts: [
      {
        name: 'https'
        properties: { port: 443 }
      }
      {
        name: 'http'
        properties: { port: 80 }
      }
    ]
    httpListeners: [
      {
        name: 'https'
        properties: {
          frontendIPConfiguration: { id: '${prefix}/frontendIPConfigurations/public' }
          frontendPort: { id: '${prefix}/frontendPorts/https' }
          protocol: 'Https'
          hostName: hostName
          requireServerNameIndication: true
          sslCertificate: { id: '${prefix}/sslCertificates/site' }
        }
      }
      {
        name: 'http'
        properties: {
          frontendIPConfiguration: { id: '${prefix}/frontendIPConfigurations/public' }
          frontendPort: { id: '${prefix}/frontendPorts/http' }
          protocol: 'Http'
          hostName: hostName
        }
      }
    ]
    redirectConfigurations: [
      {
        name: 'to-https'
        properties: {
          redirectType: 'Permanent'
          targetListener: { id: '${prefix}/httpListeners/https' }
          includePath: true
          includeQueryString: true
        }
      }
    ]
    backendAddressPools: [
      {
        name: 'app'
        properties: { backendAddresses: [{ fqdn: appHostName }] }
      }
      {
        name: 'signalr'
        properties: { backendAddresses: [{ fqdn: signalrHostName }] }
      }
    ]
    // Both services look at the Host header to know whom is meant.
    backendHttpSettingsCollection: [
      {
        name: 'app'
        properties: {
          port: 443
          protocol: 'Https'
          pickHostNameFromBackendAddress: true
          requestTimeout: 60
          probe: { id: '${prefix}/probes/health' }
        }
      }
      {
        name: 'signalr'
        properties: {
          port: 443
          protocol: 'Https'
          pickHostNameFromBackendAddress: true
          requestTimeout: 60
          probe: { id: '${prefix}/probes/health' }
        }
      }
    ]
    // The app and SignalR Service happen to answer at the same path.
    probes: [
      {
        name: 'health'
        properties: {
          protocol: 'Https'
          path: '/api/health'
          interval: 30
          timeout: 30
          unhealthyThreshold: 3
          pickHostNameFromBackendHttpSettings: true
        }
      }
    ]
    urlPathMaps: [
      {
        name: 'paths'
        properties: {
          defaultBackendAddressPool: { id: '${prefix}/backendAddressPools/app' }
          defaultBackendHttpSettings: { id: '${prefix}/backendHttpSettingsCollection/app' }
          pathRules: [
            {
              name: 'client'
              properties: {
                paths: ['/client/*']
                backendAddressPool: { id: '${prefix}/backendAddressPools/signalr' }
                backendHttpSettings: { id: '${prefix}/backendHttpSettingsCollection/signalr' }
              }
            }
          ]
        }
      }
    ]
    requestRoutingRules: [
      {
        name: 'https'
        properties: {
          priority: 100
          ruleType: 'PathBasedRouting'
          httpListener: { id: '${prefix}/httpListeners/https' }
          urlPathMap: { id: '${prefix}/urlPathMaps/paths' }
        }
      }
      {
        name: 'http'
        properties: {
          priority: 200
          ruleType: 'Basic'
          httpListener: { id: '${prefix}/httpListeners/http' }
          redirectConfiguration: { id: '${prefix}/redirectConfigurations/to-https' }
        }
      }
    ]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: gateway
  name: 'parley'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'ApplicationGatewayFirewallLog', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource unhealthy 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'gateway-backend-unhealthy-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'The gateway cannot reach the app or SignalR Service.'
    severity: 1
    enabled: true
    scopes: [gateway.id]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'unhealthy'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'UnhealthyHostCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Average'
        }
      ]
    }
    actions: actions
  }
}

output publicName string = address.properties.dnsSettings.fqdn
