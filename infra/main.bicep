// The whole system. What is optional: Hasura, its PostgreSQL, and the alerts.
targetScope = 'subscription'

@description('The name of the azd environment; all names are made from it.')
@minLength(1)
@maxLength(40)
param environmentName string

@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('The filled vault that vault.bicep made, in the resource group of this environment.')
param keyVaultName string

@description('The origins of the page, separated by commas without spaces.')
@minLength(8)
param pageOrigins string

@description('false: hasuraUrl is the address of a Hasura that you have for this system alone: azd up replaces its metadata.')
param deployHasura bool = true

@description('false: the secret pg-database-url of the vault leads to a PostgreSQL that you have.')
param deployPostgres bool = true

@description('Where a Hasura that you have answers, without a path.')
param hasuraUrl string = ''

@description('The same version as in docker-compose.yml, without the CLI.')
param hasuraImage string = 'docker.io/hasura/graphql-engine:v2.51.9'

@description('Where alerts are sent. Empty: no alert rules.')
param alertEmail string = ''

@description('The role that the tokens of authors allow.')
param hasuraAuthorRole string = 'user'

param xBaseUrl string = 'https://api.x.com'
param maxLatenessSeconds int = 21600

@description('How long before its time the event of a post is set, whose delivery waits until then.')
param earlySeconds int = 15

@description('How long the sweep stays and publishes what falls due meanwhile.')
param sweepWaitSeconds int = 0

param publishBatch int = 50

@description('The ceiling on the bill of X: posts in a day (UTC); one with a link counts as 13 and a third.')
param maxPostsPerDay int = 1000

@description('While WEBHOOK_SECRET is rotated: the vault holds webhook-secret-previous, which is accepted, too.')
param acceptPreviousWebhookSecret bool = false

@description('Failed posts are reported: the vault holds notify-url and notify-secret.')
param sendNotifications bool = false

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(group.id)
var origins = split(pageOrigins, ',')
var hasuraName = 'hasura-${token}'
var hasuraAddress = deployHasura ? 'https://${hasuraName}.${containers!.outputs.domain}' : hasuraUrl
var hasuraSecrets = ['hasura-graphql-admin-secret', 'hasura-graphql-jwt-secret', 'webhook-secret', 'pg-database-url']
var postgresSecrets = ['postgres-password', 'hasura-database-password']

// The settings of README.md: tests/unit/test_infra.py holds that each is here, and each secret by reference.
var plainSettings = [
  { name: 'APP_BASE_API', value: hasuraAddress }
  { name: 'ACTIONS_BASE_URL', value: '{{ACTIONS_BASE_URL}}' }
  { name: 'HASURA_AUTHOR_ROLE', value: hasuraAuthorRole }
  { name: 'X_BASE_URL', value: xBaseUrl }
  { name: 'MAX_LATENESS_SECONDS', value: string(maxLatenessSeconds) }
  { name: 'EARLY_SECONDS', value: string(earlySeconds) }
  { name: 'SWEEP_WAIT_SECONDS', value: string(sweepWaitSeconds) }
  { name: 'PUBLISH_BATCH', value: string(publishBatch) }
  { name: 'MAX_POSTS_PER_DAY', value: string(maxPostsPerDay) }
  { name: 'ALLOW_PLAIN_HTTP', value: 'false' }
]
var requiredSecrets = [
  'HASURA_GRAPHQL_ADMIN_SECRET'
  'HASURA_GRAPHQL_JWT_SECRET'
  'WEBHOOK_SECRET'
  'CONSUMER_API_KEY'
  'CONSUMER_API_SECRET'
  'X_TOKEN_KEYS'
]
var previousWebhookSecret = acceptPreviousWebhookSecret ? ['WEBHOOK_SECRET_PREVIOUS'] : []
var notifySecrets = sendNotifications ? ['NOTIFY_URL', 'NOTIFY_SECRET'] : []
var secretSettings = concat(requiredSecrets, previousWebhookSecret, notifySecrets)
var secretNames = [for setting in secretSettings: replace(toLower(setting), '_', '-')]

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: keyVaultName
  scope: group
}

module functionsIdentity 'identity.bicep' = {
  name: 'functions-identity'
  scope: group
  params: {
    name: 'id-functions-${token}'
    location: location
    tags: tags
  }
}

module functionsSecrets 'secret-readers.bicep' = {
  name: 'functions-secrets'
  scope: group
  params: {
    vaultName: keyVaultName
    secretNames: secretNames
    principalId: functionsIdentity.outputs.principalId
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    publisherPrincipalId: functionsIdentity.outputs.principalId
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    appPrincipalId: functionsIdentity.outputs.principalId
  }
}

module functions 'functions.bicep' = {
  name: 'functions'
  scope: group
  params: {
    name: 'func-${token}'
    location: location
    tags: tags
    identityId: functionsIdentity.outputs.id
    identityClientId: functionsIdentity.outputs.clientId
    insightsName: monitoring.outputs.insightsName
    blobEndpoint: storage.outputs.blobEndpoint
    packagesUrl: storage.outputs.packagesUrl
    vaultName: keyVaultName
    pageOrigins: origins
    plainSettings: plainSettings
    secretSettings: secretSettings
  }
  dependsOn: [
    functionsSecrets
  ]
}

module network 'network.bicep' = if (deployHasura && deployPostgres) {
  name: 'network'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
  }
}

module postgres 'postgres.bicep' = if (deployHasura && deployPostgres) {
  name: 'postgres'
  scope: group
  params: {
    name: 'psql-${token}'
    location: location
    tags: tags
    vaultName: keyVaultName
    subnetId: network!.outputs.postgresSubnetId
    zoneId: network!.outputs.postgresZoneId
    adminPassword: vault.getSecret('postgres-password')
    hasuraPassword: vault.getSecret('hasura-database-password')
  }
}

module containers 'container-environment.bicep' = if (deployHasura) {
  name: 'containers'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    subnetId: deployPostgres ? network!.outputs.containersSubnetId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module hasuraIdentity 'identity.bicep' = if (deployHasura) {
  name: 'hasura-identity'
  scope: group
  params: {
    name: 'id-hasura-${token}'
    location: location
    tags: tags
  }
}

module hasuraSecretReaders 'secret-readers.bicep' = if (deployHasura) {
  name: 'hasura-secrets'
  scope: group
  params: {
    vaultName: keyVaultName
    secretNames: deployPostgres ? concat(hasuraSecrets, postgresSecrets) : hasuraSecrets
    principalId: hasuraIdentity!.outputs.principalId
  }
  dependsOn: [
    postgres
  ]
}

module hasura 'hasura.bicep' = if (deployHasura) {
  name: 'hasura'
  scope: group
  params: {
    name: hasuraName
    location: location
    tags: tags
    environmentId: containers!.outputs.id
    identityId: hasuraIdentity!.outputs.id
    vaultName: keyVaultName
    image: hasuraImage
    actionsBaseUrl: functions.outputs.url
    pageOrigins: origins
    postgresHost: deployPostgres ? postgres!.outputs.host : ''
    postgresAdminLogin: deployPostgres ? postgres!.outputs.adminLogin : ''
  }
  dependsOn: [
    hasuraSecretReaders
  ]
}

module alerts 'alerts.bicep' = if (!empty(alertEmail)) {
  name: 'alerts'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = functions.outputs.name
output ACTIONS_BASE_URL string = functions.outputs.url
output APP_BASE_API string = hasuraAddress
output AZURE_HASURA_NAME string = deployHasura ? hasuraName : ''
output AZURE_LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId
