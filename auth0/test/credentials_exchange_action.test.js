/** What the credentials-exchange Action puts into the access token of an application. */

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { onExecuteCredentialsExchange } = require("../credentials_exchange_action.js");

const AUDIENCE = "https://posts.example/graphql";

/**
 * The claims of a token for this client and this API.
 *
 * @param {string} client_id
 * @param {string} identifier
 * @param {Record<string, string>} secrets
 */
async function claimsOf(client_id, identifier, secrets = { LINKER_CLIENT_ID: "linker", API_AUDIENCE: AUDIENCE }) {
  const claims = new Map();
  const api = { accessToken: { setCustomClaim: claims.set.bind(claims) } };
  await onExecuteCredentialsExchange({ secrets, client: { client_id }, resource_server: { identifier } }, api);
  return Object.fromEntries(claims);
}

test("the application of the post-login Action gets the role linker for our API", async () => {
  assert.deepEqual(await claimsOf("linker", AUDIENCE), {
    "https://hasura.io/jwt/claims": { "x-hasura-allowed-roles": ["linker"], "x-hasura-default-role": "linker" },
  });
});

test("another application, and another API, get nothing", async () => {
  assert.deepEqual(await claimsOf("another", AUDIENCE), {});
  assert.deepEqual(await claimsOf("linker", "https://tenant.example/api/v2/"), {});
});

test("without secrets nobody gets the role", async () => {
  assert.deepEqual(await claimsOf("linker", AUDIENCE, {}), {});
  assert.deepEqual(await claimsOf("", "", { LINKER_CLIENT_ID: "", API_AUDIENCE: "" }), {});
});
