// What Front Door sends where: /api to the app, /client to SignalR Service, uncached. A WebSocket
// there lives at most four hours and is cut after five idle minutes; clients reconnect by themselves.
param tags object
param token string
param profileName string
param endpointName string
param requestsPerMinute int

@description('Each {name, hostName, pattern}.')
param targets array

// As in gateway.bicep: what people write is no attack on a store of JSON values.
var exclusions = [
  for field in ['body', 'title', 'fileName', 'displayName']: {
    matchVariable: 'RequestBodyJsonArgNames'
    selectorMatchOperator: 'Equals'
    selector: field
  }
]

resource profile 'Microsoft.Cdn/profiles@2025-06-01' existing = {
  name: profileName
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2025-06-01' existing = {
  parent: profile
  name: endpointName
}

resource groups 'Microsoft.Cdn/profiles/originGroups@2025-06-01' = [
  for target in targets: {
    parent: profile
    name: target.name
    properties: {
      healthProbeSettings: {
        probePath: '/api/health'
        probeProtocol: 'Https'
        probeRequestType: 'GET'
        probeIntervalInSeconds: 60
      }
      loadBalancingSettings: {
        sampleSize: 4
        successfulSamplesRequired: 3
        additionalLatencyInMilliseconds: 50
      }
    }
  }
]

resource origins 'Microsoft.Cdn/profiles/originGroups/origins@2025-06-01' = [
  for (target, i) in targets: {
    parent: groups[i]
    name: target.name
    properties: {
      hostName: target.hostName
      originHostHeader: target.hostName
      httpsPort: 443
      enforceCertificateNameCheck: true
      enabledState: 'Enabled'
    }
  }
]

resource routes 'Microsoft.Cdn/profiles/afdEndpoints/routes@2025-06-01' = [
  for (target, i) in targets: {
    parent: endpoint
    name: target.name
    dependsOn: [origins]
    properties: {
      originGroup: { id: groups[i].id }
      patternsToMatch: [target.pattern]
      supportedProtocols: ['Https']
      forwardingProtocol: 'HttpsOnly'
      httpsRedirect: 'Disabled'
      linkToDefaultDomain: 'Enabled'
      enabledState: 'Enabled'
    }
  }
]

resource firewall 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2024-02-01' = {
  name: 'wafafd${token}'
  location: 'global'
  tags: tags
  sku: { name: 'Premium_AzureFrontDoor' }
  properties: {
    policySettings: {
      enabledState: 'Enabled'
      mode: 'Prevention'
      requestBodyCheck: 'Enabled'
    }
    customRules: {
      rules: [
        {
          name: 'RatePerAddress'
          priority: 20
          ruleType: 'RateLimitRule'
          action: 'Block'
          rateLimitDurationInMinutes: 1
          rateLimitThreshold: requestsPerMinute
          matchConditions: [
            {
              matchVariable: 'RequestUri'
              operator: 'Contains'
              negateCondition: false
              matchValue: ['/']
            }
          ]
        }
      ]
    }
    managedRules: {
      managedRuleSets: [
        {
          ruleSetType: 'Microsoft_DefaultRuleSet'
          ruleSetVersion: '2.1'
          ruleSetAction: 'Block'
          exclusions: exclusions
        }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' }
      ]
    }
  }
}

resource guard 'Microsoft.Cdn/profiles/securityPolicies@2025-06-01' = {
  parent: profile
  name: 'firewall'
  properties: {
    parameters: {
      type: 'WebApplicationFirewall'
      wafPolicy: { id: firewall.id }
      associations: [
        {
          domains: [{ id: endpoint.id }]
          patternsToMatch: ['/*']
        }
      ]
    }
  }
}
