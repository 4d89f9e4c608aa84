/**
 * The post-login Action of Auth0: lets a user into Hasura, and links the X account of a user who signed in with X.
 *
 * Each access token for our API gets Hasura's claims. After a sign-in by the X connection, the tokens that X gave Auth0
 * are read from Auth0's Management API, sealed, and stored by `link_account` in Hasura, with the user and the link.
 *
 * Linking never fails a login: what went wrong is logged, and the next sign-in with X tries again. Auth0 ends a login
 * whose Actions take longer than 20 seconds together, and keeps 256 characters of what an Action logs.
 *
 * One file without dependencies, for Node.js 18 and 22. Deployed as docs/auth0.md describes.
 */

const crypto = require("node:crypto");

const CLAIMS_NAMESPACE = "https://hasura.io/jwt/claims";
const SECRETS = [
  "API_AUDIENCE",
  "APP_BASE_API",
  "AUTH0_BASE_URL",
  "LINKER_CLIENT_ID",
  "LINKER_CLIENT_SECRET",
  "X_TOKEN_KEYS",
];
const LINKING_MAY_TAKE_MS = 8_000;
const LARGEST_ANSWER = 1_000_000;
const LONGEST_LOG_LINE = 256;
/** A cached token is used only while it stays valid for longer than linking may take. */
const TOKEN_MUST_OUTLIVE_S = 60;

const LINK_ACCOUNT = `
  mutation LinkAccount($account: link_account_args!) {
    link_account(args: $account) { also_linked_to }
  }
`;

/** Linking failed for a reason that the message names. No message contains a token, a key or an answer's text. */
class LinkingFailed extends Error {
  /**
   * @param {string} message
   * @param {{ isRefusal?: boolean }} [options] `isRefusal`: the access token that we sent was not accepted
   */
  constructor(message, { isRefusal = false } = {}) {
    super(message);
    this.isRefusal = isRefusal;
  }
}

/**
 * @param {PostLoginEvent} event
 * @param {PostLoginApi} api
 */
exports.onExecutePostLogin = async (event, api) => {
  if (!event.secrets.API_AUDIENCE) {
    log("The secret API_AUDIENCE is missing: Hasura accepts nobody who signs in.");
    return;
  }
  if (event.resource_server?.identifier !== event.secrets.API_AUDIENCE) {
    return;
  }
  api.accessToken.setCustomClaim(CLAIMS_NAMESPACE, {
    "x-hasura-allowed-roles": ["user"],
    "x-hasura-default-role": "user",
    "x-hasura-user-id": event.user.user_id,
  });
  if (isSignInWithX(event)) {
    try {
      await linkAccounts(event, api.cache);
    } catch (error) {
      const reason = error instanceof LinkingFailed ? error.message : `an unexpected ${nameOf(error)}`;
      log(`No X account was linked to ${shown(event.user.user_id)}: ${reason}.`);
    }
  }
};

/**
 * Whether the user has just signed in with X: only then are the tokens that Auth0 holds as new as they can be. An
 * exchange of a refresh token and a silent sign-in run this Action as well.
 *
 * @param {PostLoginEvent} event
 */
function isSignInWithX(event) {
  return (
    event.connection?.strategy === "twitter" &&
    event.transaction?.protocol !== "oauth2-refresh-token" &&
    event.request?.query?.prompt !== "none" &&
    (event.user.identities ?? []).some(isOfX)
  );
}

/** @param {{ provider: string }} identity */
function isOfX(identity) {
  return identity.provider === "twitter";
}

/**
 * Links each X account of the user: with Auth0's account linking a user may have several, and the event does not say
 * which one signed in.
 *
 * @param {PostLoginEvent} event
 * @param {Cache} cache
 */
async function linkAccounts(event, cache) {
  const settings = readSettings(event.secrets);
  const deadline = AbortSignal.timeout(LINKING_MAY_TAKE_MS);
  const user = await readUser(settings, cache, event.user.user_id, deadline);
  for (const account of xAccounts(user)) {
    const arguments_ = {
      username: event.user.user_id,
      x_user_id: account.xUserId,
      account_name: account.name,
      sealed_tokens: seal(settings.sealingKey, account),
    };
    const others = await linkInHasura(settings, cache, arguments_, deadline);
    if (others.length > 0) {
      const some = others.slice(0, 3).map(shown).join(", ");
      log(
        `X user ${account.xUserId} is linked to ${shown(event.user.user_id)}, and to ${others.length} more: ${some}.`,
      );
    }
  }
}

/**
 * @param {Record<string, string | undefined>} secrets
 * @returns {Settings}
 */
function readSettings(secrets) {
  const missing = SECRETS.filter((name) => !secrets[name]);
  if (missing.length > 0) {
    throw new LinkingFailed(`secrets of this Action are missing: ${missing.join(", ")}`);
  }
  return {
    audience: String(secrets.API_AUDIENCE),
    hasura: baseUrl("APP_BASE_API", String(secrets.APP_BASE_API)),
    auth0: baseUrl("AUTH0_BASE_URL", String(secrets.AUTH0_BASE_URL)),
    clientId: String(secrets.LINKER_CLIENT_ID),
    clientSecret: String(secrets.LINKER_CLIENT_SECRET),
    sealingKey: firstTokenKey(String(secrets.X_TOKEN_KEYS)),
  };
}

/**
 * Without a slash at its end. Secrets are sent there: never in plain text over a network.
 *
 * @param {string} name
 * @param {string} text
 */
function baseUrl(name, text) {
  if (!/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)([:/]|$))/.test(text)) {
    throw new LinkingFailed(`${name} must be an https:// address`);
  }
  return text.replace(/\/+$/, "");
}

/**
 * The key that seals, of the same X_TOKEN_KEYS that the functions read: `<key id>:<base64url of 32 bytes>`, several
 * separated by commas. All of them are checked.
 *
 * @param {string} text
 * @returns {TokenKey}
 */
function firstTokenKey(text) {
  const keys = text.split(",").map((entry) => {
    const [id, ...rest] = entry.split(":");
    const encoded = rest.join(":").replace(/=$/, "").replaceAll("+", "-").replaceAll("/", "_");
    const bytes = Buffer.from(encoded, "base64url");
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || bytes.length !== 32 || bytes.toString("base64url") !== encoded) {
      throw new LinkingFailed("X_TOKEN_KEYS must be <key id>:<32 random bytes in base64url>, separated by commas");
    }
    return { id, bytes };
  });
  if (new Set(keys.map((key) => key.id)).size !== keys.length) {
    throw new LinkingFailed("X_TOKEN_KEYS must have another id for each key");
  }
  return keys[0];
}

/**
 * As shared/x/sealed_tokens.py opens it; tests/sealed_tokens.json holds both to the same values.
 *
 * @param {TokenKey} key
 * @param {XAccount} account
 */
function seal(key, account) {
  const header = `v1.${key.id}`;
  const plain = JSON.stringify({
    access_token: account.accessToken,
    access_token_secret: account.accessTokenSecret,
  });
  const nonce = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv("aes-256-gcm", key.bytes, nonce);
  cipher.setAAD(Buffer.from(`${header}.${account.xUserId}`, "utf8"));
  const content = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${header}.${content.toString("base64url")}`;
}

/**
 * The user with the tokens of the identity providers, which the event does not contain.
 *
 * @param {Settings} settings
 * @param {Cache} cache
 * @param {string} userId
 * @param {AbortSignal} deadline
 */
async function readUser(settings, cache, userId, deadline) {
  const fields = "nickname,screen_name,identities";
  const url = `${settings.auth0}/api/v2/users/${encodeURIComponent(userId)}?fields=${fields}&include_fields=true`;
  const audience = `${settings.auth0}/api/v2/`;
  return withAccessToken(settings, cache, { key: "management-api-token", audience }, deadline, (token) =>
    fetchJson("Auth0's Management API", url, { headers: { authorization: `Bearer ${token}` } }, deadline),
  );
}

/**
 * @param {Auth0User} user
 * @returns {XAccount[]}
 */
function xAccounts(user) {
  return (user.identities ?? []).filter(isOfX).map((identity) => {
    const { user_id, access_token, access_token_secret } = identity;
    // X's ids are longer than the numbers that JavaScript holds exactly.
    if (typeof user_id !== "string" || !/^[1-9][0-9]{0,18}$/.test(user_id)) {
      throw new LinkingFailed("Auth0 holds no id of the X user");
    }
    if (!access_token || !access_token_secret) {
      throw new LinkingFailed(
        "Auth0 gave no X tokens: the scope read:user_idp_tokens is missing, or the connection is not OAuth 1.0a",
      );
    }
    // Auth0 keeps the profile of the first identity in the user itself.
    const profile = identity.profileData ?? user;
    const name = [profile.screen_name, profile.nickname].find(isHandle) ?? user_id;
    return { xUserId: user_id, name, accessToken: access_token, accessTokenSecret: access_token_secret };
  });
}

/**
 * Whether the database takes it as `account.account_name`.
 *
 * @param {string | undefined} name
 * @returns {name is string}
 */
function isHandle(name) {
  return typeof name === "string" && /^[^\p{Cc}]{1,50}$/u.test(name);
}

/**
 * The other users that the account is linked to.
 *
 * @param {Settings} settings
 * @param {Cache} cache
 * @param {Record<string, string>} account
 * @param {AbortSignal} deadline
 * @returns {Promise<string[]>}
 */
async function linkInHasura(settings, cache, account, deadline) {
  const body = JSON.stringify({ query: LINK_ACCOUNT, variables: { account } });
  const api = { key: "linker-token", audience: settings.audience };
  return withAccessToken(settings, cache, api, deadline, async (token) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const url = `${settings.hasura}/v1/graphql`;
    const answer = await fetchJson("Hasura", url, { method: "POST", headers, body }, deadline);
    if (answer.errors) {
      const code = String(answer.errors[0]?.extensions?.code);
      throw new LinkingFailed(`Hasura refused with ${code}`, { isRefusal: /jwt|^access-denied$/.test(code) });
    }
    return answer.data.link_account[0].also_linked_to;
  });
}

/**
 * What `use` returns for an access token of our own application. The token is cached as long as it is valid, because
 * Auth0 limits and counts them; one that is refused is forgotten, so that the next login gets another.
 *
 * @template T
 * @param {Settings} settings
 * @param {Cache} cache
 * @param {{ key: string, audience: string }} target
 * @param {AbortSignal} deadline
 * @param {(token: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function withAccessToken(settings, cache, target, deadline, use) {
  const token = cache.get(target.key)?.value ?? (await newAccessToken(settings, cache, target, deadline));
  try {
    return await use(token);
  } catch (error) {
    if (error instanceof LinkingFailed && error.isRefusal) {
      await cache.delete(target.key);
    }
    throw error;
  }
}

/**
 * @param {Settings} settings
 * @param {Cache} cache
 * @param {{ key: string, audience: string }} target
 * @param {AbortSignal} deadline
 * @returns {Promise<string>}
 */
async function newAccessToken(settings, cache, target, deadline) {
  const body = JSON.stringify({
    grant_type: "client_credentials",
    client_id: settings.clientId,
    client_secret: settings.clientSecret,
    audience: target.audience,
  });
  const headers = { "content-type": "application/json" };
  const url = `${settings.auth0}/oauth/token`;
  const answer = await fetchJson("Auth0's token endpoint", url, { method: "POST", headers, body }, deadline);
  const seconds = answer.expires_in - TOKEN_MUST_OUTLIVE_S;
  if (seconds > 0) {
    await cache.set(target.key, answer.access_token, { ttl: seconds * 1000 });
  }
  return answer.access_token;
}

/**
 * @param {string} who
 * @param {string} url
 * @param {RequestInit} request
 * @param {AbortSignal} deadline
 * @returns {Promise<any>}
 */
async function fetchJson(who, url, request, deadline) {
  try {
    const response = await fetch(url, { ...request, redirect: "error", signal: deadline });
    if (!response.ok) {
      throw new LinkingFailed(`${who} answered ${response.status}`, {
        isRefusal: [401, 403].includes(response.status),
      });
    }
    return JSON.parse(await boundedText(who, response));
  } catch (error) {
    throw error instanceof LinkingFailed ? error : new LinkingFailed(`${who} gave no answer (${nameOf(error)})`);
  }
}

/**
 * @param {string} who
 * @param {Response} response
 */
async function boundedText(who, response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) {
      throw new LinkingFailed(`the answer of ${who} is too large`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @param {unknown} error */
function nameOf(error) {
  return error instanceof Error ? error.name : typeof error;
}

/**
 * An id that others chose, on one line and in quotes.
 *
 * @param {string} id
 */
function shown(id) {
  return JSON.stringify(id);
}

/** @param {string} sentence */
function log(sentence) {
  console.log(sentence.slice(0, LONGEST_LOG_LINE));
}

/**
 * What is used of Auth0's objects; all of it: https://auth0.com/docs/actions/triggers/post-login/event-object
 *
 * @typedef {object} PostLoginEvent
 * @property {Record<string, string | undefined>} secrets
 * @property {{ user_id: string, identities?: { provider: string }[] }} user
 * @property {{ identifier: string }} [resource_server]
 * @property {{ strategy: string }} [connection]
 * @property {{ protocol?: string }} [transaction]
 * @property {{ query?: Record<string, string | undefined> }} [request]
 *
 * @typedef {object} PostLoginApi
 * @property {{ setCustomClaim: (name: string, value: unknown) => unknown }} accessToken
 * @property {Cache} cache
 *
 * @typedef {object} Cache
 * @property {(key: string) => { value: string } | undefined} get
 * @property {(key: string, value: string, options: { ttl: number }) => unknown} set
 * @property {(key: string) => unknown} delete
 *
 * @typedef {object} Auth0User
 * @property {Auth0Identity[]} [identities]
 * @property {string} [nickname]
 * @property {string} [screen_name]
 *
 * @typedef {object} Auth0Identity
 * @property {string} provider
 * @property {unknown} user_id
 * @property {string} [access_token]
 * @property {string} [access_token_secret]
 * @property {{ nickname?: string, screen_name?: string }} [profileData]
 *
 * @typedef {{ id: string, bytes: Buffer }} TokenKey
 *
 * @typedef {{ xUserId: string, name: string, accessToken: string, accessTokenSecret: string }} XAccount
 *
 * @typedef {object} Settings
 * @property {string} audience
 * @property {string} hasura
 * @property {string} auth0
 * @property {string} clientId
 * @property {string} clientSecret
 * @property {TokenKey} sealingKey
 */
