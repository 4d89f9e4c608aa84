// The function app: createPost and postTweet on Flex Consumption.
param name string
param location string
param tags object
param identityId string
param identityClientId string
param insightsName string
param blobEndpoint string
param packagesUrl string
param vaultName string

@description('The origins of the page: a browser elsewhere may not call createPost.')
param pageOrigins array

@description('Settings of README.md that are no secrets: name and value of each.')
param plainSettings array

@description('Names of the settings whose value is the secret of the same name in the vault, in lower case with dashes.')
param secretSettings array

// 3.12 has the older worker, in the open since 2020; 3.13 has another one, whose reports of lost log lines are younger.
@allowed(['3.12', '3.13'])
param pythonVersion string = '3.12'

// One request is one thread. The app waits for Hasura and X most of the time, so an instance can take several.
@minValue(1)
@maxValue(32)
param perInstanceConcurrency int = 8

@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

var hostSettings = [
  { name: 'AzureWebJobsStorage__blobServiceUri', value: blobEndpoint }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
  // postTweet reads up to 1 MiB, and answers what is longer itself; the host stops what is twice as long.
  { name: 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT', value: '2097152' }
  { name: 'PYTHON_THREADPOOL_THREAD_COUNT', value: string(perInstanceConcurrency) }
]

var vaultUri = 'https://${vaultName}${environment().suffixes.keyvaultDns}/'
var secretReferences = [for setting in secretSettings: {
  name: setting
  value: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${replace(toLower(setting), '_', '-')})'
}]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  // checkov:skip=CKV_AZURE_225: Zone redundancy doubles the least cost, and the sweep takes over what an outage delayed.
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  // checkov:skip=CKV_AZURE_17: Hasura and browsers call it, and neither has a client certificate.
  // checkov:skip=CKV_AZURE_212: Flex Consumption starts instances when they are needed.
  // checkov:skip=CKV_AZURE_213: Flex Consumption replaces instances itself.
  // checkov:skip=CKV_AZURE_222: Hasura and browsers call it from the internet.
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    // With the user's identity the roles exist before the app does, so its first start reads all references.
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      appSettings: concat(hostSettings, plainSettings, secretReferences)
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: {
        allowedOrigins: pageOrigins
        supportCredentials: false
      }
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: {
          http: {
            perInstanceConcurrency: perInstanceConcurrency
          }
        }
      }
    }
  }
}

// Deployments sign in with an identity, never with the passwords of FTP and Git.
resource ftpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
