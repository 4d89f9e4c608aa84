/**
 * Signs one user in, with the Actions as they are and a stand-in for Auth0: for tests/stack/test_auth0_sign_in.py.
 *
 * Reads the sign-in as JSON from standard input, and prints `{"claims", "logged"}`.
 */

const { onExecutePostLogin } = require("../post_login_action.js");
const stand = require("./stand_in_auth0.js");

const CLIENT = { clientId: "linker", clientSecret: "the-client-secret-of-the-linker" };

/**
 * @typedef {object} SignIn
 * @property {any} user as Auth0's Management API shows it
 * @property {{ strategy: string }} connection by which the user signs in
 * @property {string} audience of our API
 * @property {string} hasura its address
 * @property {string} jwtKey with which Hasura verifies HS256
 * @property {string} tokenKeys the setting X_TOKEN_KEYS
 */

/** @param {SignIn} signIn */
async function run(signIn) {
  const auth0 = await stand.startAuth0({ ...CLIENT, audience: signIn.audience, jwtKey: signIn.jwtKey });
  auth0.users = [signIn.user];
  const secrets = {
    API_AUDIENCE: signIn.audience,
    APP_BASE_API: signIn.hasura,
    AUTH0_BASE_URL: auth0.url,
    LINKER_CLIENT_ID: CLIENT.clientId,
    LINKER_CLIENT_SECRET: CLIENT.clientSecret,
    X_TOKEN_KEYS: signIn.tokenKeys,
  };
  /** @type {string[]} */
  const logged = [];
  const print = console.log;
  console.log = (line) => logged.push(line);
  const api = stand.loginApi(new Map());
  await onExecutePostLogin(stand.loginEvent(signIn.user, { secrets, connection: signIn.connection }), api);
  await auth0.close();
  print(JSON.stringify({ claims: Object.fromEntries(api.claims), logged }));
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
  }
  await run(JSON.parse(Buffer.concat(chunks).toString("utf8")));
}

main();
