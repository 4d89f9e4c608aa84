// Hasura on Container Apps. It is never scaled to zero: it delivers the events and runs the sweep of each minute.
param name string
param location string
param tags object
param environmentId string
param identityId string
param vaultName string
param image string
param actionsBaseUrl string
param pageOrigins array

@description('Empty: the database and its role exist, and the secret pg-database-url of the vault leads there.')
param postgresHost string
param postgresAdminLogin string

// A second replica delivers events again that the first is delivering when the second starts. That does no harm here,
// but one replica is enough for thousands of events a minute, so a second one only costs.
@minValue(1)
@maxValue(4)
param maxReplicas int = 1

var vaultUri = 'https://${vaultName}${environment().suffixes.keyvaultDns}/'
var ownSecrets = ['hasura-graphql-admin-secret', 'hasura-graphql-jwt-secret', 'webhook-secret', 'pg-database-url']
var roleSecrets = empty(postgresHost) ? [] : ['postgres-password', 'hasura-database-password']

resource hasura 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8080
        transport: 'auto'
        allowInsecure: false
      }
      secrets: [for secretName in concat(ownSecrets, roleSecrets): {
        name: secretName
        keyVaultUrl: '${vaultUri}secrets/${secretName}'
        identity: identityId
      }]
    }
    template: {
      // Hasura waits up to 150 s for deliveries under way.
      terminationGracePeriodSeconds: 160
      initContainers: empty(postgresHost) ? [] : [
        {
          // Makes the database and its role. It runs at each start; when both are there it only sets the password.
          name: 'create-database'
          image: 'docker.io/library/postgres:16.15'
          command: ['sh', '-c', 'printf %s "$CREATE_DATABASE_SQL" | psql --no-psqlrc --quiet --set ON_ERROR_STOP=1']
          env: [
            { name: 'CREATE_DATABASE_SQL', value: loadTextContent('../hasura/postgres/create_database.sql') }
            { name: 'PGHOST', value: postgresHost }
            { name: 'PGUSER', value: postgresAdminLogin }
            { name: 'PGDATABASE', value: 'postgres' }
            { name: 'PGSSLMODE', value: 'require' }
            { name: 'PGCONNECT_TIMEOUT', value: '15' }
            { name: 'PGPASSWORD', secretRef: 'postgres-password' }
            { name: 'HASURA_DATABASE_PASSWORD', secretRef: 'hasura-database-password' }
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
        }
      ]
      containers: [
        {
          name: 'hasura'
          image: image
          env: [
            { name: 'HASURA_GRAPHQL_METADATA_DATABASE_URL', secretRef: 'pg-database-url' }
            { name: 'PG_DATABASE_URL', secretRef: 'pg-database-url' }
            { name: 'HASURA_GRAPHQL_ADMIN_SECRET', secretRef: 'hasura-graphql-admin-secret' }
            { name: 'HASURA_GRAPHQL_JWT_SECRET', secretRef: 'hasura-graphql-jwt-secret' }
            { name: 'WEBHOOK_SECRET', secretRef: 'webhook-secret' }
            { name: 'ACTIONS_BASE_URL', value: actionsBaseUrl }
            { name: 'HASURA_GRAPHQL_CORS_DOMAIN', value: join(pageOrigins, ', ') }
            { name: 'HASURA_GRAPHQL_ENABLE_CONSOLE', value: 'false' }
            { name: 'HASURA_GRAPHQL_DEV_MODE', value: 'false' }
            { name: 'HASURA_GRAPHQL_ENABLE_TELEMETRY', value: 'false' }
            // As long as it waits for the answer to a delivery.
            { name: 'HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT', value: '150' }
            // createPost creates scheduled events by the metadata API.
            { name: 'HASURA_GRAPHQL_ENABLED_APIS', value: 'graphql,metadata' }
            // An author can send what the page and createPost send, and nothing else: docs/hasura.md.
            { name: 'HASURA_GRAPHQL_ENABLE_ALLOWLIST', value: 'true' }
            // The texts of posts stay out of the log.
            { name: 'HASURA_GRAPHQL_REDACT_EVENT_TRIGGER_LOGS', value: 'true' }
            { name: 'HASURA_GRAPHQL_REDACT_SCHEDULED_TRIGGER_LOGS', value: 'true' }
          ]
          probes: [
            {
              // 150 s in which Hasura may create its own tables: the platform takes at most 10 failures.
              type: 'Startup'
              httpGet: { path: '/healthz', port: 8080 }
              periodSeconds: 15
              failureThreshold: 10
            }
            {
              type: 'Readiness'
              httpGet: { path: '/healthz', port: 8080 }
              periodSeconds: 10
              failureThreshold: 3
            }
            {
              type: 'Liveness'
              httpGet: { path: '/healthz', port: 8080 }
              periodSeconds: 30
              failureThreshold: 4
            }
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
      scale: {
        minReplicas: 1
        maxReplicas: maxReplicas
      }
    }
  }
}
