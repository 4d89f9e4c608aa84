/** What the post-login Action does at a login, against stand-ins for Auth0 and Hasura. */

const { after, before, beforeEach, mock, test } = require("node:test");
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const http = require("node:http");
const { onExecutePostLogin } = require("../post_login_action.js");
const stand = require("./stand_in_auth0.js");
const sealedTokens = require("../../tests/sealed_tokens.json");

const AUDIENCE = "https://posts.example/graphql";
const ALICE = {
  id: "1234567890123456789",
  handle: "alice",
  access_token: "the-access-token-of-alice",
  access_token_secret: "the-access-token-secret-of-alice",
};
const CLIENT_SECRET = "the-client-secret-of-the-linker";
const TOKEN_KEYS = sealedTokens.settings.accepted[0].text;

/** @type {stand.StandInAuth0} */
let auth0;
/**
 * @type {{ url: string, received: any[], status: number, answer: unknown, inPlaceOfAnAnswer: (() => void) | null,
 *   server: http.Server }}
 */
let hasura;
/** @type {Record<string, string>} */
let secrets;
/** @type {string[]} */
let logged;
/** @type {Map<string, string>} */
let cached;

before(async () => {
  auth0 = await stand.startAuth0({ audience: AUDIENCE, clientId: "linker", clientSecret: CLIENT_SECRET });
  hasura = await startHasura();
});

after(async () => {
  await auth0.close();
  await stand.closed(hasura.server);
});

beforeEach(() => {
  auth0.users = [stand.userOfX(ALICE)];
  auth0.scopes = ["read:users", "read:user_idp_tokens"];
  auth0.requests.length = 0;
  auth0.answers.clear();
  hasura.received = [];
  hasura.status = 200;
  hasura.inPlaceOfAnAnswer = null;
  hasura.answer = { data: { link_account: [{ also_linked_to: [] }] } };
  secrets = {
    API_AUDIENCE: AUDIENCE,
    APP_BASE_API: hasura.url,
    AUTH0_BASE_URL: auth0.url,
    LINKER_CLIENT_ID: "linker",
    LINKER_CLIENT_SECRET: CLIENT_SECRET,
    X_TOKEN_KEYS: TOKEN_KEYS,
  };
  logged = [];
  cached = new Map();
  mock.restoreAll();
  mock.method(console, "log", (/** @type {string} */ line) => void logged.push(line));
});

/** Signs the user in. Returns the claims that the Action set; fails when the log shows a secret or is cut by Auth0. */
async function signIn(user = auth0.users[0], rest = {}) {
  const api = stand.loginApi(cached);
  await onExecutePostLogin(stand.loginEvent(user, { secrets, ...rest }), api);
  for (const line of logged) {
    assert.ok(line.length <= 256, "Auth0 keeps 256 characters of a line");
    assert.ok(!line.includes("\n"));
    for (const secret of [
      ALICE.access_token,
      ALICE.access_token_secret,
      CLIENT_SECRET,
      TOKEN_KEYS,
      ...cached.values(),
    ]) {
      assert.ok(!line.includes(secret), `the log shows something secret: ${line}`);
    }
  }
  return Object.fromEntries(api.claims);
}

/** The arguments of each call of link_account so far. */
function linked() {
  return hasura.received.map((request) => request.body.variables.account);
}

const CLAIMS_OF_ALICE = {
  [stand.CLAIMS_NAMESPACE]: {
    "x-hasura-allowed-roles": ["user"],
    "x-hasura-default-role": "user",
    "x-hasura-user-id": `twitter|${ALICE.id}`,
  },
};

test("a login for our API gets Hasura's claims, and the subject is the user's id", async () => {
  const claims = await signIn({ user_id: "auth0|64f0", identities: [{ provider: "auth0", user_id: "64f0" }] });

  assert.equal(claims[stand.CLAIMS_NAMESPACE]["x-hasura-user-id"], "auth0|64f0");
  assert.deepEqual(claims[stand.CLAIMS_NAMESPACE]["x-hasura-allowed-roles"], ["user"]);
  assert.equal(claims[stand.CLAIMS_NAMESPACE]["x-hasura-default-role"], "user");
});

test("a login for another API gets nothing, and nothing is linked", async () => {
  for (const resource_server of [{ identifier: "https://other.example/" }, undefined]) {
    assert.deepEqual(await signIn(auth0.users[0], { resource_server }), {});
  }
  assert.deepEqual(auth0.requests, []);
});

test("without the secret API_AUDIENCE nobody gets claims, and the log says so", async () => {
  secrets.API_AUDIENCE = "";

  assert.deepEqual(await signIn(), {});
  assert.match(logged[0], /API_AUDIENCE is missing/);
});

test("a sign-in with X links the account under X's own id, with its handle", async () => {
  assert.deepEqual(await signIn(), CLAIMS_OF_ALICE);

  const [{ sealed_tokens, ...account }] = linked();
  assert.deepEqual(account, { username: `twitter|${ALICE.id}`, x_user_id: ALICE.id, account_name: "alice" });
  assert.match(sealed_tokens, /^v1\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_-]{60,4000}$/);
  assert.deepEqual(logged, []);
});

test("Hasura is asked with a token of the role linker, never with an admin secret", async () => {
  await signIn();

  const { headers } = hasura.received[0];
  const claims = JSON.parse(Buffer.from(headers.authorization.split(".")[1], "base64url").toString());
  assert.deepEqual(claims[stand.CLAIMS_NAMESPACE], {
    "x-hasura-allowed-roles": ["linker"],
    "x-hasura-default-role": "linker",
  });
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith("x-hasura")),
    [],
  );
});

test("the sealed value is the one that Python opens in its own test", async (context) => {
  const randomBytes = context.mock.method(crypto, "randomBytes");
  for (const example of sealedTokens.sealed) {
    secrets.X_TOKEN_KEYS = example.keys;
    auth0.users = [stand.userOfX({ ...ALICE, id: example.x_user_id, ...example.tokens })];
    randomBytes.mock.mockImplementation(() => Buffer.from(example.nonce, "hex"));

    await signIn();

    assert.equal(linked().at(-1).sealed_tokens, example.sealed);
  }
});

test("no two sealed values are the same", async () => {
  await signIn();
  await signIn();

  const [first, second] = linked();
  assert.notEqual(first.sealed_tokens, second.sealed_tokens);
});

for (const { text, seals_with } of sealedTokens.settings.accepted) {
  test(`X_TOKEN_KEYS seals with its first key: ${text.replaceAll(/:[^,]*/g, ":…")}`, async () => {
    secrets.X_TOKEN_KEYS = text;

    await signIn();

    assert.equal(linked()[0].sealed_tokens.split(".")[1], seals_with);
  });
}

for (const { text, why } of sealedTokens.settings.refused) {
  test(`X_TOKEN_KEYS is refused: ${why}`, async () => {
    secrets.X_TOKEN_KEYS = text;

    assert.deepEqual(await signIn(), CLAIMS_OF_ALICE);

    assert.deepEqual(linked(), []);
    assert.match(logged[0], /X_TOKEN_KEYS/);
  });
}

test("the access tokens of our application are asked for once, as long as Auth0 keeps them in its cache", async () => {
  await signIn();
  await signIn();

  assert.equal(auth0.requests.filter((request) => request === "POST /oauth/token").length, 2);
  assert.equal(linked().length, 2);
});

test("a token that the Management API refuses is forgotten, and the next login gets another", async () => {
  await signIn();
  auth0.revoke(`${auth0.url}/api/v2/`);

  await signIn();
  assert.match(logged[0], /Auth0's Management API answered 401/);
  await signIn();

  assert.equal(linked().length, 2);
});

test("a token that Hasura refuses is forgotten, and the next login gets another", async () => {
  await signIn();
  const [first] = hasura.received;
  hasura.answer = { errors: [{ message: "Could not verify JWT: JWTExpired", extensions: { code: "invalid-jwt" } }] };

  await signIn();
  await signIn();

  assert.match(logged[0], /Hasura refused with invalid-jwt/);
  assert.notEqual(hasura.received[2].headers.authorization, first.headers.authorization);
});

test("who signs in by another way than X gets claims, and nobody is asked anything", async () => {
  const user = { user_id: "auth0|64f0", identities: [{ provider: "auth0", user_id: "64f0" }] };

  await signIn(user, { connection: { strategy: "auth0", name: "Username-Password-Authentication" } });

  assert.deepEqual(auth0.requests, []);
});

test("the exchange of a refresh token and a silent sign-in get claims, and link nothing", async () => {
  assert.deepEqual(
    await signIn(auth0.users[0], { transaction: { protocol: "oauth2-refresh-token" } }),
    CLAIMS_OF_ALICE,
  );
  assert.deepEqual(await signIn(auth0.users[0], { request: { query: { prompt: "none" } } }), CLAIMS_OF_ALICE);

  assert.deepEqual(auth0.requests, []);
});

test("a user whose first identity is another has the X account of the linked identity", async () => {
  const { nickname, screen_name, identities } = stand.userOfX(ALICE);
  auth0.users = [
    {
      user_id: "auth0|64f0",
      nickname: "alice.smith",
      identities: [
        { provider: "auth0", connection: "Username-Password-Authentication", user_id: "64f0" },
        { ...identities[0], profileData: { nickname, screen_name } },
      ],
    },
  ];

  await signIn();

  const [{ username, x_user_id, account_name }] = linked();
  assert.deepEqual([username, x_user_id, account_name], ["auth0|64f0", ALICE.id, "alice"]);
});

for (const name of ["a".repeat(51), "two\nlines", "\u009b", "", undefined]) {
  test(`an account whose handle cannot be shown is named by its id: ${JSON.stringify(name)?.slice(0, 20)}`, async () => {
    auth0.users = [{ ...stand.userOfX(ALICE), nickname: name, screen_name: name }];

    await signIn();

    assert.deepEqual([linked()[0].account_name, logged], [ALICE.id, []]);
  });
}

for (const user_id of ["0", "012", "12a", "12345678901234567890"]) {
  test(`what is no id of an X user is not linked: ${user_id}`, async () => {
    const [user] = auth0.users;
    user.identities[0].user_id = user_id;

    await signIn();

    assert.deepEqual(linked(), []);
    assert.match(logged[0], /Auth0 holds no id of the X user/);
  });
}

test("each X account of a user is linked", async () => {
  const [user] = auth0.users;
  user.identities.push({ ...user.identities[0], user_id: "42", profileData: { nickname: "second" } });

  await signIn();

  assert.deepEqual(
    linked().map((account) => [account.x_user_id, account.account_name]),
    [
      [ALICE.id, "alice"],
      ["42", "second"],
    ],
  );
});

test("a subject with special characters reaches the Management API and Hasura as it is", async () => {
  const user_id = 'twitter|a/../b?c=d&e#f%g "h"\u{1F600}';
  auth0.users = [{ ...stand.userOfX(ALICE), user_id }];

  const claims = await signIn();

  assert.equal(claims[stand.CLAIMS_NAMESPACE]["x-hasura-user-id"], user_id);
  assert.equal(linked()[0].username, user_id);
});

test("whom the account is linked to as well is logged: the X user has signed in, so nobody is kept out", async () => {
  hasura.answer = { data: { link_account: [{ also_linked_to: ["auth0|1", "two\nlines", "3", "4"] }] } };

  await signIn();

  assert.equal(
    logged[0],
    `X user ${ALICE.id} is linked to "twitter|${ALICE.id}", and to 4 more: "auth0|1", "two\\nlines", "3".`,
  );
});

/**
 * Which answer of Auth0 fails a linking, and what the log says then.
 *
 * @type {[string, string, stand.Answer, RegExp][]}
 */
const ANSWERS = [
  ["Auth0's token endpoint is away", "/oauth/token", hangUp, /token endpoint gave no answer \(TypeError\)/],
  ["the Management API is away", "/api/v2/", hangUp, /Management API gave no answer \(TypeError\)/],
  ["the Management API limits us", "/api/v2/", answerWith(429, "{}"), /Management API answered 429/],
  ["an answer is no JSON", "/api/v2/", answerWith(200, "<html>"), /gave no answer \(SyntaxError\)/],
  ["an answer is not what it should be", "/api/v2/", answerWith(200, "null"), /unexpected TypeError/],
  ["an answer is endless", "/api/v2/", answerWith(200, `"${"x".repeat(2_000_000)}"`), /too large/],
  ["an answer leads elsewhere", "/api/v2/", redirect, /gave no answer \(TypeError\)/],
];

for (const [what, part, answer, message] of ANSWERS) {
  test(`the login goes on when ${what}`, async () => {
    auth0.answers.set(part, answer);

    await assertNothingIsLinked(message);
  });
}

/**
 * Which secrets of the Action fail a linking.
 *
 * @type {[string, Record<string, string>, RegExp][]}
 */
const WRONG_SECRETS = [
  ["the client secret is wrong", { LINKER_CLIENT_SECRET: "another" }, /token endpoint answered 401/],
  ["secrets are missing", { X_TOKEN_KEYS: "", APP_BASE_API: "" }, /are missing: APP_BASE_API, X_TOKEN_KEYS/],
  ["secrets would go over a network in plain text", { APP_BASE_API: "http://x.example" }, /must be an https/],
  ["Hasura is away", { APP_BASE_API: "http://127.0.0.1:1" }, /Hasura gave no answer \(TypeError\)/],
];

for (const [what, wrong, message] of WRONG_SECRETS) {
  test(`the login goes on when ${what}`, async () => {
    Object.assign(secrets, wrong);

    await assertNothingIsLinked(message);
  });
}

test("the login goes on when the application lacks the scope read:users", async () => {
  auth0.scopes = [];

  await assertNothingIsLinked(/Management API answered 403/);
});

test("the login goes on when the application lacks the scope read:user_idp_tokens", async () => {
  auth0.scopes = ["read:users"];

  await assertNothingIsLinked(/gave no X tokens/);
});

test("the login goes on when the connection is OAuth 2.0, which has no token secret", async () => {
  auth0.users[0].identities[0].access_token_secret = undefined;

  await assertNothingIsLinked(/not OAuth 1\.0a/);
});

test("the login goes on when the X user's id comes as a number, which may be rounded", async () => {
  auth0.users[0].identities[0].user_id = Number(ALICE.id);

  await assertNothingIsLinked(/no id of the X user/);
});

test("the login goes on when Hasura fails", async () => {
  hasura.status = 503;

  await assertNothingIsLinked(/Hasura answered 503/);
});

test("the login goes on when Hasura refuses, and its words are not logged", async () => {
  hasura.answer = { errors: [{ message: `with ${ALICE.access_token}`, extensions: { code: "unexpected" } }] };

  await assertNothingIsLinked(/Hasura refused with unexpected/);
});

/**
 * Who never answers; `called` is to be called when a request has come.
 *
 * @type {[string, (called: () => void) => void][]}
 */
const SILENT = [
  ["Auth0's token endpoint", (called) => auth0.answers.set("/oauth/token", called)],
  ["the Management API", (called) => auth0.answers.set("/api/v2/", called)],
  ["Hasura", (called) => (hasura.inPlaceOfAnAnswer = called)],
];

for (const [who, silence] of SILENT) {
  test(`the login goes on long before Auth0 would end it when ${who} does not answer`, async () => {
    const patience = new AbortController();
    const timeout = mock.method(AbortSignal, "timeout", () => patience.signal);
    silence(() => patience.abort(new DOMException("timed out", "TimeoutError")));

    await assertNothingIsLinked(/gave no answer \(TimeoutError\)/);

    assert.equal(timeout.mock.callCount(), 1, "all requests of a login share one deadline");
    assert.ok(Number(timeout.mock.calls[0].arguments[0]) <= 10_000);
  });
}

test("what failed once is linked at the next sign-in", async () => {
  hasura.status = 503;
  await signIn();
  hasura.status = 200;
  hasura.received = [];

  await signIn();

  assert.equal(linked().length, 1);
});

/**
 * Signs Alice in: she gets her claims, and one line of the log says what failed.
 *
 * @param {RegExp} message
 */
async function assertNothingIsLinked(message) {
  assert.deepEqual(await signIn(), CLAIMS_OF_ALICE);
  assert.equal(logged.length, 1);
  assert.match(logged[0], /^No X account was linked to "twitter\|1234567890123456789": /);
  assert.match(logged[0], message);
}

/** @type {stand.Answer} */
function hangUp(request) {
  request.socket.destroy();
}

/** @type {stand.Answer} */
function redirect(_request, response) {
  response.writeHead(302, { location: hasura.url }).end();
}

/**
 * @param {number} status
 * @param {string} text
 * @returns {stand.Answer}
 */
function answerWith(status, text) {
  return (_request, response) => response.writeHead(status).end(text);
}

/** A stand-in for Hasura that only keeps what it gets. Against the local Hasura: tests/stack/test_auth0_sign_in.py. */
async function startHasura() {
  const server = http.createServer(async (request, response) => {
    hasura.received.push({ headers: request.headers, body: JSON.parse(await stand.bodyOf(request)) });
    if (hasura.inPlaceOfAnAnswer) {
      hasura.inPlaceOfAnAnswer();
    } else {
      stand.reply(response, hasura.status, hasura.answer);
    }
  });
  return { url: await stand.listen(server), received: [], status: 200, answer: null, inPlaceOfAnAnswer: null, server };
}
