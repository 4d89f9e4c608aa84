#!/bin/sh
# Applies hasura/ to the Hasura at APP_BASE_API, then has it create the SQL triggers of its event triggers, which no
# other step does on a new database. Run again, it changes nothing.
# Needs the Hasura CLI v3 and curl, and HASURA_GRAPHQL_ADMIN_SECRET, or the Azure CLI and AZURE_KEY_VAULT_NAME.
set -eu
cd "$(dirname "$0")/.."

if [ -z "${HASURA_GRAPHQL_ADMIN_SECRET:-}" ]; then
  HASURA_GRAPHQL_ADMIN_SECRET=$(az keyvault secret show --vault-name "$AZURE_KEY_VAULT_NAME" \
    --name hasura-graphql-admin-secret --query value --output tsv)
fi
HASURA_GRAPHQL_ENDPOINT=$APP_BASE_API
export HASURA_GRAPHQL_ADMIN_SECRET HASURA_GRAPHQL_ENDPOINT

tries=${TRIES:-60}
until curl --silent --fail --max-time 5 --output /dev/null "$APP_BASE_API/healthz"; do
  tries=$((tries - 1))
  if [ "$tries" -le 0 ]; then
    echo "Hasura does not answer at $APP_BASE_API." >&2
    exit 1
  fi
  sleep 5
done

hasura deploy --project hasura --skip-update-check

# The secret goes by standard input, because other users of the machine see a command's arguments.
printf 'x-hasura-admin-secret: %s\n' "$HASURA_GRAPHQL_ADMIN_SECRET" |
  curl --silent --show-error --fail-with-body --max-time 60 --header @- --header 'Content-Type: application/json' \
    --data '{"type": "reload_metadata", "args": {"recreate_event_triggers": true}}' "$APP_BASE_API/v1/metadata"
echo
echo "hasura/ is applied to $APP_BASE_API, and its SQL triggers are created."
