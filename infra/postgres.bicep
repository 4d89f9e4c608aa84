// PostgreSQL for Hasura: reached from the virtual network alone, by TLS, with backups.
param name string
param location string
param tags object
param vaultName string
param subnetId string
param zoneId string

@secure()
@minLength(16)
param adminPassword string

@description('The password of the role hasura. It becomes part of an address, so it is letters and digits only.')
@secure()
@minLength(16)
param hasuraPassword string

@minValue(7)
@maxValue(35)
param backupRetentionDays int = 14

// 'Enabled' keeps a second copy of the backups in the paired region. It cannot be changed later.
@allowed(['Enabled', 'Disabled'])
param geoRedundantBackup string = 'Disabled'

var adminLogin = 'dbadmin'

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard_B1ms'
    tier: 'Burstable'
  }
  properties: {
    version: '16'
    administratorLogin: adminLogin
    administratorLoginPassword: adminPassword
    authConfig: {
      activeDirectoryAuth: 'Disabled'
      passwordAuth: 'Enabled'
    }
    storage: {
      storageSizeGB: 32
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: backupRetentionDays
      geoRedundantBackup: geoRedundantBackup
    }
    highAvailability: {
      mode: 'Disabled'
    }
    network: {
      delegatedSubnetResourceId: subnetId
      privateDnsZoneArmResourceId: zoneId
      publicNetworkAccess: 'Disabled'
    }
  }
}

// One after the other: the server refuses a change while another is under way.
resource tls 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'require_secure_transport'
  properties: {
    value: 'on'
    source: 'user-override'
  }
}

resource tlsVersion 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'ssl_min_protocol_version'
  properties: {
    value: 'TLSv1.2'
    source: 'user-override'
  }
  dependsOn: [
    tls
  ]
}

// Hasura creates pgcrypto in each of its databases.
resource extensions 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'azure.extensions'
  properties: {
    value: 'pgcrypto'
    source: 'user-override'
  }
  dependsOn: [
    tlsVersion
  ]
}

// A refused row is not written to the log: it has the text of a post.
resource logs 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'log_error_verbosity'
  properties: {
    value: 'terse'
    source: 'user-override'
  }
  dependsOn: [
    extensions
  ]
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource address 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  // checkov:skip=CKV_AZURE_41: It changes with the role's password, not with the calendar.
  parent: vault
  name: 'pg-database-url'
  properties: {
    contentType: 'text/plain'
    value: 'postgres://hasura:${hasuraPassword}@${server.properties.fullyQualifiedDomainName}:5432/scheduled_posts?sslmode=require'
  }
}

output host string = server.properties.fullyQualifiedDomainName
output adminLogin string = adminLogin
