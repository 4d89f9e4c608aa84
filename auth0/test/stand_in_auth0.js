/**
 * A stand-in for Auth0: its token endpoint and its Management API on loopback, and the objects that it gives an Action.
 *
 * It is as strict as Auth0: an access token is good for the API that it was issued for, the Management API wants the
 * scope read:users, and shows the tokens of identity providers only to read:user_idp_tokens.
 */

const http = require("node:http");
const crypto = require("node:crypto");
const { onExecuteCredentialsExchange } = require("../credentials_exchange_action.js");

exports.CLAIMS_NAMESPACE = "https://hasura.io/jwt/claims";
const TOKENS_OF_PROVIDERS = ["access_token", "access_token_secret", "refresh_token"];

/**
 * @typedef {object} StandInAuth0
 * @property {string} url
 * @property {any[]} users as the Management API shows them
 * @property {string[]} scopes that the application has for the Management API
 * @property {string[]} requests `METHOD /path` of each request so far
 * @property {(audience: string) => void} revoke makes the tokens that were issued for the API invalid
 * @property {Map<string, Answer>} answers how requests are answered whose path contains the key
 * @property {() => Promise<void>} close
 *
 * @typedef {(request: http.IncomingMessage, response: http.ServerResponse) => void} Answer
 */

/**
 * @param {{ audience: string, clientId: string, clientSecret: string, jwtKey?: string }} tenant
 * @returns {Promise<StandInAuth0>}
 */
exports.startAuth0 = async (tenant) => {
  /** @type {Map<string, string>} */
  const audienceOfToken = new Map();
  const server = http.createServer(async (request, response) => {
    const path = request.url ?? "";
    stand.requests.push(`${request.method} ${path}`);
    const answer = [...stand.answers].find(([part]) => path.includes(part))?.[1];
    if (answer) {
      answer(request, response);
    } else if (request.method === "POST" && path === "/oauth/token") {
      reply(response, ...(await token(JSON.parse(await bodyOf(request)))));
    } else if (request.method === "GET" && path.startsWith("/api/v2/users/")) {
      reply(response, ...user(new URL(path, stand.url), request.headers.authorization));
    } else {
      reply(response, 404, { statusCode: 404, error: "Not Found" });
    }
  });

  /**
   * @param {any} asked
   * @returns {Promise<[number, unknown]>}
   */
  async function token(asked) {
    const isKnown = asked.client_id === tenant.clientId && asked.client_secret === tenant.clientSecret;
    if (asked.grant_type !== "client_credentials" || !isKnown) {
      return [401, { error: "access_denied", error_description: "Unauthorized" }];
    }
    if (![tenant.audience, `${stand.url}/api/v2/`].includes(asked.audience)) {
      return [403, { error: "access_denied", error_description: "Client is not authorized to access this API" }];
    }
    const issued = asked.audience === tenant.audience ? await tokenForOurApi() : crypto.randomUUID();
    audienceOfToken.set(issued, asked.audience);
    return [200, { access_token: issued, expires_in: 86400, token_type: "Bearer" }];
  }

  /** A token with the claims of the credentials-exchange Action. */
  async function tokenForOurApi() {
    const claims = new Map();
    const event = {
      secrets: { LINKER_CLIENT_ID: tenant.clientId, API_AUDIENCE: tenant.audience },
      client: { client_id: tenant.clientId },
      resource_server: { identifier: tenant.audience },
    };
    await onExecuteCredentialsExchange(event, {
      accessToken: { setCustomClaim: (name, value) => claims.set(name, value) },
    });
    const now = Math.floor(Date.now() / 1000);
    const identity = { iss: `${stand.url}/`, aud: tenant.audience, sub: `${tenant.clientId}@clients` };
    const validity = { iat: now, exp: now + 86400, jti: crypto.randomUUID() };
    return signed({ ...identity, ...validity, ...Object.fromEntries(claims) }, tenant.jwtKey ?? "");
  }

  /**
   * @param {URL} url
   * @param {string | undefined} authorization
   * @returns {[number, unknown]}
   */
  function user(url, authorization) {
    if (audienceOfToken.get(authorization?.replace(/^Bearer /, "") ?? "") !== `${stand.url}/api/v2/`) {
      return [401, { statusCode: 401, error: "Unauthorized", message: "Invalid token" }];
    }
    if (!stand.scopes.includes("read:users")) {
      return [403, { statusCode: 403, error: "Forbidden", errorCode: "insufficient_scope" }];
    }
    const [id, ...rest] = url.pathname.slice("/api/v2/users/".length).split("/");
    const found = stand.users.find((each) => each.user_id === decodeURIComponent(id));
    if (!found || rest.length > 0) {
      return [404, { statusCode: 404, error: "Not Found", errorCode: "inexistent_user" }];
    }
    const fields = url.searchParams.get("fields")?.split(",") ?? Object.keys(found);
    const shown = Object.fromEntries(Object.entries(found).filter(([name]) => fields.includes(name)));
    if (!stand.scopes.includes("read:user_idp_tokens")) {
      shown.identities = found.identities.map((/** @type {object} */ identity) =>
        Object.fromEntries(Object.entries(identity).filter(([name]) => !TOKENS_OF_PROVIDERS.includes(name))),
      );
    }
    return [200, shown];
  }

  const url = await listen(server);
  /** @type {StandInAuth0} */
  const stand = {
    url,
    users: [],
    scopes: ["read:users", "read:user_idp_tokens"],
    requests: [],
    revoke: (audience) => {
      for (const [issued, itsAudience] of audienceOfToken) {
        if (itsAudience === audience) {
          audienceOfToken.delete(issued);
        }
      }
    },
    answers: new Map(),
    close: () => closed(server),
  };
  return stand;
};

/**
 * What Auth0 hands to a post-login Action when this user signs in.
 *
 * @param {any} user as the Management API shows it
 * @param {{ secrets: Record<string, string>, [property: string]: any }} rest
 */
exports.loginEvent = (user, rest) => ({
  resource_server: { identifier: rest.secrets.API_AUDIENCE },
  connection: { id: "con_1", name: "twitter", strategy: "twitter" },
  transaction: { protocol: "oidc-basic-profile" },
  request: { query: {} },
  // The event shows no tokens of identity providers.
  user: {
    ...user,
    identities: user.identities?.map((/** @type {any} */ identity) => ({
      provider: identity.provider,
      connection: identity.connection,
      user_id: identity.user_id,
      isSocial: identity.isSocial,
    })),
  },
  ...rest,
});

/**
 * The `api` of a login, with the claims that the Action set. The cache outlives a login: `cached` is its content.
 *
 * @param {Map<string, string>} cached
 */
exports.loginApi = (cached) => {
  /** @type {Map<string, any>} */
  const claims = new Map();
  return { claims, accessToken: { setCustomClaim: claims.set.bind(claims) }, cache: cacheOf(cached) };
};

/**
 * With Auth0's limits: 64 bytes for a key, 4 kB for a value, 24 hours.
 *
 * @param {Map<string, string>} cached
 */
function cacheOf(cached) {
  /** @param {string} key */
  function get(key) {
    const value = cached.get(key);
    return value === undefined ? undefined : { value, expires_at: 0 };
  }

  /**
   * @param {string} key
   * @param {string} value
   * @param {{ ttl: number }} options
   */
  function set(key, value, options) {
    if (key.length > 64 || value.length > 4096 || options.ttl > 86_400_000) {
      return { type: "error", code: "CacheItemExceedsLimits" };
    }
    cached.set(key, value);
    return { type: "success" };
  }

  return { get, set, delete: cached.delete.bind(cached) };
}

/**
 * A user of the X connection, as the Management API shows it.
 *
 * @param {{ id: string, handle: string, access_token: string, access_token_secret: string }} account
 */
exports.userOfX = ({ id, handle, ...tokens }) => ({
  user_id: `twitter|${id}`,
  nickname: handle,
  screen_name: handle,
  identities: [{ provider: "twitter", connection: "twitter", user_id: id, isSocial: true, ...tokens }],
});

/**
 * @param {http.Server} server
 * @returns {Promise<string>} its address
 */
function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" && address ? address.port : ""}`);
    });
  });
}
exports.listen = listen;

/**
 * @param {http.Server} server
 * @returns {Promise<void>}
 */
function closed(server) {
  return new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
}
exports.closed = closed;

/** @param {http.IncomingMessage} request */
async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
exports.bodyOf = bodyOf;

/**
 * @param {http.ServerResponse} response
 * @param {number} status
 * @param {unknown} content
 */
function reply(response, status, content) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
}
exports.reply = reply;

/**
 * A JSON Web Token with HS256, the algorithm of the local stack. Auth0 signs with RS256.
 *
 * @param {object} claims
 * @param {string} key
 */
function signed(claims, key) {
  const encode = (/** @type {object} */ part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const content = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${content}.${crypto.createHmac("sha256", key).update(content).digest("base64url")}`;
}
