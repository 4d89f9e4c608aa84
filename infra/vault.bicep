// The resource group and its Key Vault. Deployed once, before the rest: main.bicep needs the vault filled.
targetScope = 'subscription'

@description('The name of the azd environment; all names are made from it.')
@minLength(1)
@maxLength(40)
param environmentName string

param location string

@description('Who fills the vault: your object id (az ad signed-in-user show --query id).')
param operatorPrincipalId string

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: { 'azd-env-name': environmentName }
}

module vault 'key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    name: 'kv-${uniqueString(group.id)}'
    location: location
    tags: { 'azd-env-name': environmentName }
    operatorPrincipalId: operatorPrincipalId
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
