// Run by azd's postdeploy where uploads are scanned: lets the function take the scanner's verdicts.
// Event Grid refuses a subscription to a function that is not deployed yet.
param functionName string
param topicName string

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: functionName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource verdicts 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'attachment-scanned'
  properties: {
    destination: {
      endpointType: 'AzureFunction'
      properties: { resourceId: '${app.id}/functions/attachment_scanned', maxEventsPerBatch: 1 }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: { includedEventTypes: ['Microsoft.Security.MalwareScanningResult'] }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}
