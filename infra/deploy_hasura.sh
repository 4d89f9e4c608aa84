#!/bin/sh
# Applies hasura/ to the Hasura at APP_BASE_API, whose whole metadata it replaces, then has it create the SQL triggers of its event triggers, and the event
# trigger of the notifications where SEND_NOTIFICATIONS is true or NOTIFY_URL is set. It can be repeated.
# Needs the Hasura CLI v3 and curl, and HASURA_GRAPHQL_ADMIN_SECRET, or the Azure CLI and AZURE_KEY_VAULT_NAME.
set -eu
cd "$(dirname "$0")/.."

local_or_encrypted() {
  case $1 in
    *@*) return 1 ;; # what stands before it is a user name, not the host
    https://?* | http://localhost | http://localhost[:/]* | http://127.0.0.1 | http://127.0.0.1[:/]*) ;;
    *) return 1 ;;
  esac
}

if ! local_or_encrypted "${APP_BASE_API:-}"; then
  echo "APP_BASE_API must be https://…, or http://localhost or http://127.0.0.1: it is sent the admin secret." >&2
  exit 2
fi

if [ -z "${HASURA_GRAPHQL_ADMIN_SECRET:-}" ]; then
  HASURA_GRAPHQL_ADMIN_SECRET=$(az keyvault secret show --vault-name "$AZURE_KEY_VAULT_NAME" \
    --name hasura-graphql-admin-secret --query value --output tsv)
fi
HASURA_GRAPHQL_ENDPOINT=$APP_BASE_API
export APP_BASE_API HASURA_GRAPHQL_ADMIN_SECRET HASURA_GRAPHQL_ENDPOINT

tries=${TRIES:-60}
until curl --silent --fail --max-time 5 --output /dev/null "$APP_BASE_API/healthz"; do
  tries=$((tries - 1))
  if [ "$tries" -le 0 ]; then
    echo "Hasura does not answer at $APP_BASE_API." >&2
    exit 1
  fi
  sleep 5
done

# The secret goes by standard input, because other users of the machine see a command's arguments.
select_1() {
  printf 'x-hasura-admin-secret: %s\n' "$HASURA_GRAPHQL_ADMIN_SECRET" |
    curl --silent --show-error --fail-with-body --max-time 60 --header @- --header 'Content-Type: application/json' \
      --data '{"type": "run_sql", "args": {"source": "default", "sql": "select 1", "read_only": true}}' \
      "$APP_BASE_API/v2/query" 2>&1
}

# The schema before the metadata that names it, so that nothing is inconsistent meanwhile. A new Hasura learns of the
# database from the metadata alone, so there the metadata comes first, as `hasura deploy` does it.
if answer=$(select_1); then
  hasura migrate apply --project hasura --database-name default --skip-update-check
  hasura metadata apply --project hasura --skip-update-check
else
  case $answer in
    *not-exists*) hasura deploy --project hasura --skip-update-check ;;
    *)
      echo "Hasura cannot be asked about its database: $answer" >&2
      exit 1
      ;;
  esac
fi

# azd knows that notifications are sent, and not where to, which is a secret.
if [ "${SEND_NOTIFICATIONS:-false}" = true ]; then
  export NOTIFY_URL="${NOTIFY_URL:-in the vault}"
fi
hasura/event_triggers.sh
echo "hasura/ is applied to $APP_BASE_API, and its SQL triggers are created."
