#!/bin/sh
# Installs what no feature of the container brings: Core Tools, the Hasura CLI, a Chromium, and the environment.
set -eu
cd "$(dirname "$0")/.."

npm install --global azure-functions-core-tools@4.15.1

# The image that docker-compose.yml pins holds the CLI of the same version.
tries=30
until docker info >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "Docker does not answer." >&2; exit 1; }
  sleep 2
done
image=$(sed -n 's/^ *image: *\(hasura\/graphql-engine:[^ ]*\.cli-migrations-v3\)$/\1/p' docker-compose.yml | head -n 1)
docker run --rm --entrypoint sh "$image" -c 'cat "$(command -v hasura-cli)"' >"$HOME/hasura"
sudo install -m 755 "$HOME/hasura" /usr/local/bin/hasura
rm "$HOME/hasura"

sudo apt-get update
sudo apt-get install --yes --no-install-recommends chromium

make install
