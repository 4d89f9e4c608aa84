#!/bin/sh
# Has the Hasura at APP_BASE_API create the SQL triggers of its event triggers, which no other step does on a new
# database; and the event trigger of the notifications, where NOTIFY_URL is set: docs/notifications.md. Run again, it
# changes nothing. docker-compose.yml and infra/deploy_hasura.sh run it, with HASURA_GRAPHQL_ADMIN_SECRET.
set -eu
cd "$(dirname "$0")"

# The secret goes by standard input, because other users of the machine see a command's arguments.
ask() {
  printf 'x-hasura-admin-secret: %s\n' "$HASURA_GRAPHQL_ADMIN_SECRET" |
    curl --silent --show-error --fail-with-body --max-time 60 --header @- --header 'Content-Type: application/json' \
      --data "$1" "$APP_BASE_API/v1/metadata"
}

ask '{"type": "reload_metadata", "args": {"recreate_event_triggers": true}}'
echo

if [ -n "${NOTIFY_URL:-}" ]; then
  if ! answer=$(ask @optional/post_ended.json 2>&1); then
    case $answer in
      *already-exists*) ;;
      *)
        echo "The event trigger of the notifications was not created: $answer" >&2
        exit 1
        ;;
    esac
  fi
  echo "The event trigger of the notifications is there."
fi
