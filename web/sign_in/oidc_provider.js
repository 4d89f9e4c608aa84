// What the page requests of an OpenID Connect provider, as a public client with PKCE. Failures are put into words here.

import { Unreachable } from "../lib/http.js";
import * as oauth from "../vendor/oauth4webapi/index.js";
import { SignedOut } from "./signed_out.js";

/**
 * @import { OidcConfig } from "../lib/config.js"
 * @import { Author } from "./sign_in.js"
 */

/**
 * What the page must remember while the browser is at the provider.
 * @typedef {{state: string, nonce: string, code_verifier: string}} Redirect
 */

/**
 * `session_id` names the session at the provider, if the provider says it.
 * @typedef {Author & {session_id: string|null}} AuthorAtProvider
 */

/**
 * `lifetime` is in milliseconds, null if the provider does not say it; `author` is null after a renewal without an ID
 * token.
 * @typedef {{access_token: string, refresh_token: string|null, lifetime: number|null,
 *   author: AuthorAtProvider|null}} Tokens
 */

const TIMEOUT = 10_000;

/** The clocks of this device and of the provider may differ by so many seconds. */
const CLOCK_TOLERANCE = 60;

const LONGEST_REASON = 200;

/** What a provider answers to `prompt=none` when it would have to show a page. */
const NEEDS_A_PAGE = ["login_required", "interaction_required", "consent_required", "account_selection_required"];

/** The provider needs a page of its own to sign the author in. */
export class PageNeeded extends SignedOut {}

/** The parameters of a new redirect. @returns {Redirect} */
export function newRedirect() {
  return {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    code_verifier: oauth.generateRandomCodeVerifier(),
  };
}

/** Every method throws Unreachable or SignedOut, whose messages are for the author. */
export class OidcProvider {
  #config;
  #redirectUri;
  #client;
  #options;
  /** @type {oauth.AuthorizationServer|null} */
  #metadata = null;

  /**
   * @param {OidcConfig} config
   * @param {string} redirectUri Where the provider sends the browser back to.
   */
  constructor(config, redirectUri) {
    this.#config = config;
    this.#redirectUri = redirectUri;
    this.#client = { client_id: config.client_id, [oauth.clockTolerance]: CLOCK_TOLERANCE };
    // config.js lets http:// pass on this machine alone.
    this.#options = {
      [oauth.allowInsecureRequests]: config.issuer.startsWith("http://"),
      [oauth.customFetch]: reach,
    };
  }

  /**
   * Where the author signs in.
   * @param {Redirect} redirect
   * @param {"none"} [prompt] "none": the provider answers at once, without a page.
   */
  async authorizationUrl(redirect, prompt) {
    const { authorization_endpoint } = await this.#discovered();
    if (!authorization_endpoint) throw new Unreachable("The sign-in provider does not say where to sign in.");
    const { client_id, scope = "openid profile offline_access", audience } = this.#config;
    const asked = prompt ?? this.#config.prompt;
    const url = new URL(authorization_endpoint);
    const parameters = {
      response_type: "code",
      client_id,
      redirect_uri: this.#redirectUri,
      scope,
      state: redirect.state,
      nonce: redirect.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(redirect.code_verifier),
      code_challenge_method: "S256",
      ...(audience && { audience }),
      ...(asked && { prompt: asked }),
      ...this.#resource(),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /**
   * The tokens for what the provider appended to the page's address.
   * @param {URLSearchParams} answer
   * @param {Redirect} redirect
   * @returns {Promise<Tokens>}
   */
  async tokensFor(answer, redirect) {
    const metadata = await this.#discovered();
    return inWords(async () => {
      const parameters = oauth.validateAuthResponse(metadata, this.#client, answer, redirect.state);
      const response = await oauth.authorizationCodeGrantRequest(
        metadata,
        this.#client,
        oauth.None(),
        parameters,
        this.#redirectUri,
        redirect.code_verifier,
        this.#tokenOptions(),
      );
      const expected = { expectedNonce: redirect.nonce, requireIdToken: true };
      return tokensOf(await oauth.processAuthorizationCodeResponse(metadata, this.#client, response, expected));
    });
  }

  /**
   * New tokens. The refresh token can be used once, if the provider rotates it.
   * @param {string} refreshToken
   * @returns {Promise<Tokens>}
   */
  async renewed(refreshToken) {
    const metadata = await this.#discovered();
    return inWords(async () => {
      const response = await oauth.refreshTokenGrantRequest(
        metadata,
        this.#client,
        oauth.None(),
        refreshToken,
        this.#tokenOptions(),
      );
      return tokensOf(await oauth.processRefreshTokenResponse(metadata, this.#client, response));
    });
  }

  /**
   * Makes a refresh token worthless, where the provider offers that.
   * @param {string} refreshToken
   */
  async revoke(refreshToken) {
    const metadata = await this.#discovered();
    if (!metadata.revocation_endpoint) return;
    await inWords(async () => {
      const response = await oauth.revocationRequest(
        metadata,
        this.#client,
        oauth.None(),
        refreshToken,
        this.#requestOptions(),
      );
      await oauth.processRevocationResponse(response);
    });
  }

  /**
   * Where the author's session at the provider ends; null if the provider has no such page.
   * @param {string|null} sessionId
   */
  async endSessionUrl(sessionId) {
    const { end_session_endpoint } = await this.#discovered();
    if (!end_session_endpoint) return null;
    const url = new URL(end_session_endpoint);
    // No id_token_hint: no token belongs in an address. The provider may ask the author to confirm instead.
    url.searchParams.set("client_id", this.#config.client_id);
    url.searchParams.set("post_logout_redirect_uri", this.#redirectUri);
    if (sessionId) url.searchParams.set("logout_hint", sessionId);
    return url.href;
  }

  async #discovered() {
    this.#metadata ??= await inWords(async () => {
      const issuer = new URL(this.#config.issuer);
      const response = await oauth.discoveryRequest(issuer, this.#requestOptions());
      return oauth.processDiscoveryResponse(issuer, response);
    });
    return this.#metadata;
  }

  #requestOptions() {
    return { ...this.#options, signal: AbortSignal.timeout(TIMEOUT) };
  }

  #tokenOptions() {
    return { ...this.#requestOptions(), additionalParameters: this.#resource() };
  }

  /** For which API the access token is (RFC 8707), where the provider wants that rather than an `audience`. */
  #resource() {
    const { resource } = this.#config;
    return /** @type {Record<string, string>} */ (resource ? { resource } : {});
  }
}

/**
 * @param {oauth.TokenEndpointResponse} response
 * @returns {Tokens}
 */
function tokensOf(response) {
  const claims = oauth.getValidatedIdTokenClaims(response);
  return {
    access_token: response.access_token,
    refresh_token: response.refresh_token ?? null,
    lifetime: response.expires_in ? response.expires_in * 1000 : null,
    author: claims ? authorIn(claims) : null,
  };
}

/** @param {oauth.IDToken} claims */
function authorIn(claims) {
  const { sub, sid } = claims;
  return { subject: sub, name: nameIn(claims), session_id: typeof sid === "string" ? sid : null };
}

/** @param {oauth.IDToken} claims */
function nameIn({ name, preferred_username, sub }) {
  for (const claim of [name, preferred_username]) if (typeof claim === "string" && claim.trim()) return claim;
  return sub;
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function reach(url, options) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    throw new Unreachable("The sign-in provider cannot be reached. Try again soon.", { cause: error });
  }
  if (answer.status < 500 && answer.status !== 429) return answer;
  throw new Unreachable(`The sign-in provider failed: it answered ${answer.status}. Try again soon.`);
}

/**
 * What `request` answers. What the library throws becomes SignedOut.
 * @template T
 * @param {() => Promise<T>} request
 */
async function inWords(request) {
  try {
    return await request();
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    const Kind = error instanceof oauth.AuthorizationResponseError && isPageNeeded(error) ? PageNeeded : SignedOut;
    throw new Kind(messageFor(error), { cause: error });
  }
}

/** @param {oauth.AuthorizationResponseError} error */
function isPageNeeded(error) {
  return NEEDS_A_PAGE.includes(error.error);
}

/** @param {unknown} error */
function messageFor(error) {
  if (error instanceof oauth.AuthorizationResponseError) {
    const isDenied = error.error === "access_denied";
    return `${isDenied ? "The sign-in was cancelled or denied" : "The sign-in provider refused"}${reasonOf(error)}.`;
  }
  if (error instanceof oauth.ResponseBodyError) {
    if (error.error === "invalid_grant") return "Your sign-in has expired. Sign in again.";
    return `The sign-in provider refused${reasonOf(error)}.`;
  }
  const code = error instanceof oauth.OperationProcessingError ? error.code : undefined;
  if (code === oauth.JWT_TIMESTAMP_CHECK) {
    return "The clock of this device and that of the sign-in provider differ. Set this clock, and sign in again.";
  }
  if (code === oauth.INVALID_RESPONSE) return "The answer does not belong to this sign-in. Sign in again.";
  return `The answer of the sign-in provider cannot be used: ${error instanceof Error ? error.message : error}.`;
}

/** @param {{error: string, error_description?: string}} answer */
function reasonOf({ error, error_description }) {
  return `: ${(error_description || error).slice(0, LONGEST_REASON).replace(/\.$/, "")}`;
}
