// A virtual network, so that PostgreSQL has no public address: Hasura in one subnet, the server in the other.
param token string
param location string
param tags object

resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  // checkov:skip=CKV_AZURE_182: Azure's own DNS is asked, which has no second server to name.
  // checkov:skip=CKV_AZURE_183: As above.
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: ['10.20.0.0/16']
    }
    subnets: [
      {
        name: 'containers'
        properties: {
          addressPrefix: '10.20.0.0/23'
          delegations: [
            {
              name: 'containers'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'postgres'
        properties: {
          addressPrefix: '10.20.2.0/28'
          delegations: [
            {
              name: 'postgres'
              properties: {
                serviceName: 'Microsoft.DBforPostgreSQL/flexibleServers'
              }
            }
          ]
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
  name: 'scheduled-posts-${token}.private.postgres.database.azure.com'
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = {
  parent: zone
  name: network.name
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}

output containersSubnetId string = network.properties.subnets[0].id
output postgresSubnetId string = network.properties.subnets[1].id
output postgresZoneId string = zone.id
