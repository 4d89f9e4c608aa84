// Alert rules over the log, sent by mail. docs/operating.md says what to do about each.
param token string
param location string
param tags object
param workspaceId string
param email string

// A rule counts the rows of its query within `window`.
var rules = [
  {
    name: 'operator-must-act'
    description: 'The log has a line that wants the operator to act.'
    query: loadTextContent('queries/operator.kql')
    severity: 1
    window: 'PT5M'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'no-sweep'
    description: 'Hasura called postTweet in fewer than 5 of the last 10 minutes: Hasura or its cron trigger stands still.'
    query: loadTextContent('queries/sweep.kql')
    severity: 0
    window: 'PT10M'
    operator: 'LessThan'
    threshold: 5
  }
  {
    name: 'posts-are-late'
    description: 'Posts leave more than a minute late, are missed, or stay open after an attempt.'
    query: loadTextContent('queries/late.kql')
    severity: 2
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'many-posts-failed'
    description: 'More than 10 posts failed or were missed within an hour.'
    query: loadTextContent('queries/failed.kql')
    severity: 2
    window: 'PT1H'
    operator: 'GreaterThan'
    threshold: 10
  }
]

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'mail-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'posts'
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${rule.name}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.name
    description: rule.description
    enabled: true
    severity: rule.severity
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    // The tables come into being with their first rows.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [mail.id]
    }
  }
}]
