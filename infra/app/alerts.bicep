// What wakes somebody: the promises to users (docs/operations.md), and the limits that break them.
param location string
param tags object
param token string
param workspaceId string
param signalrId string
param cosmosId string
param serviceBusId string
param redisId string

@description('Who is told. Without an address the alerts still show in the portal.')
param alertEmail string

resource team 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'parley-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'parley'
    enabled: true
    emailReceivers: [{ name: 'team', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

var teamIds = empty(alertEmail) ? [] : [team.id]
var actions = empty(alertEmail) ? [] : [{ actionGroupId: team.id }]

// Each: resource, metric, how it is aggregated, and the value that is too much.
var limits = [
  {
    name: 'signalr-connections'
    target: signalrId
    metric: 'ConnectionQuotaUtilization'
    aggregation: 'Maximum'
    above: 80
    severity: 2
    says: 'Four fifths of the SignalR connections that are paid for are in use.'
  }
  {
    name: 'signalr-load'
    target: signalrId
    metric: 'ServerLoad'
    aggregation: 'Maximum'
    above: 70
    severity: 2
    says: 'SignalR Service is near what its units can carry.'
  }
  {
    name: 'cosmos-request-units'
    target: cosmosId
    metric: 'NormalizedRUConsumption'
    aggregation: 'Maximum'
    above: 90
    severity: 2
    says: 'One partition uses nine tenths of its request units: see "hot conversation".'
  }
  {
    name: 'notifications-dead'
    target: serviceBusId
    metric: 'DeadletteredMessages'
    aggregation: 'Maximum'
    above: 0
    severity: 2
    says: 'A notification was given up: see "poison queue".'
  }
  {
    name: 'notifications-waiting'
    target: serviceBusId
    metric: 'ActiveMessages'
    aggregation: 'Average'
    above: 10000
    severity: 3
    says: 'Notifications wait: they arrive late.'
  }
  {
    name: 'redis-memory'
    target: redisId
    metric: 'usedmemorypercentage'
    aggregation: 'Maximum'
    above: 80
    severity: 2
    says: 'Redis will soon drop live state.'
  }
]

resource limitAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for limit in limits: {
    name: '${limit.name}-${token}'
    location: 'global'
    tags: tags
    properties: {
      description: limit.says
      severity: limit.severity
      enabled: true
      scopes: [limit.target]
      evaluationFrequency: 'PT1M'
      windowSize: 'PT5M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: limit.name
            criterionType: 'StaticThresholdCriterion'
            metricName: limit.metric
            operator: 'GreaterThan'
            threshold: limit.above
            timeAggregation: limit.aggregation
          }
        ]
      }
      actions: actions
    }
  }
]

resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cosmos-throttled-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Cosmos DB refuses requests (429): sends are slow or fail.'
    severity: 2
    enabled: true
    scopes: [cosmosId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'throttled'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'TotalRequests'
          dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
          operator: 'GreaterThan'
          threshold: 100
          timeAggregation: 'Count'
        }
      ]
    }
    actions: actions
  }
}

// The promises, measured where the app ends. Sampling keeps the share of failures as it is, because
// each row says how many it stands for (ItemCount).
var sends = 'AppRequests | where OperationName in ("send_message", "post_message")'

var promises = [
  {
    name: 'sends-fail'
    severity: 1
    says: 'More than one send in two thousand failed in the last quarter of an hour.'
    query: '${sends} | summarize failed = sumif(ItemCount, Success == false), all = sum(ItemCount) | where all > 100 | extend value = 1000.0 * failed / all | where value > 0.5'
    above: 0
  }
  {
    name: 'sends-are-slow'
    severity: 2
    says: 'One send in twenty took longer than a quarter of a second in the app.'
    query: '${sends} | summarize value = percentile(DurationMs, 95)'
    above: 250
  }
  {
    name: 'functions-fail'
    severity: 2
    says: 'Functions other than sends fail.'
    query: 'AppRequests | where Success == false and ResultCode startswith "5" | summarize value = sum(ItemCount)'
    above: 100
  }
]

resource promiseAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for promise in promises: {
    name: '${promise.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: promise.name
      description: promise.says
      severity: promise.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: promise.query
            metricMeasureColumn: 'value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: promise.above
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      actions: {
        actionGroups: teamIds
      }
    }
  }
]

output actionGroupIds array = teamIds
