// Who the author is. This module is all that an identity provider replaces.

import { config } from "./config.js";
import { request } from "./http.js";

const KEY = "session";

/**
 * How an author signs in: with a "name" alone, as the local stack allows; with a "provider", on whose page `signIn`
 * continues; or null: signing in is not set up.
 * @type {"name"|"provider"|null}
 */
export const signInMethod = config.token ? "name" : null;

/** Nobody is signed in, or no longer. */
export class SignedOut extends Error {}

/**
 * The bearer token of the author, fresh enough to be sent now.
 *
 * Auth0, or any OpenID Connect provider, plugs in here: return what its library gives, for example
 * `auth0.getTokenSilently()`, let `signInMethod` be "provider", and call the library in `signIn` and `signOut`. A
 * provider returns to this page with parameters in the address: read them here, before the token is requested. The
 * token must be a JWT that Hasura's HASURA_GRAPHQL_JWT_SECRET accepts.
 * @returns {Promise<string>}
 * @throws {SignedOut}
 */
export async function accessToken() {
  const session = sessionStorage.getItem(KEY);
  if (!session) throw new SignedOut("You are not signed in.");
  return session;
}

/** The author's name in the token (its `sub`), without a request. @throws {SignedOut} */
export async function subject() {
  const [, claims = ""] = (await accessToken()).split(".");
  try {
    const bytes = Uint8Array.from(atob(claims.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));
    return String(JSON.parse(new TextDecoder().decode(bytes)).sub);
  } catch (error) {
    throw new SignedOut("This sign-in cannot be read. Sign in again.", { cause: error });
  }
}

/**
 * Signs in with a name alone. With a provider: leaves for its page, for example `auth0.loginWithRedirect()`.
 * @param {string} username Empty with a provider.
 */
export async function signIn(username) {
  if (!config.token) throw new Error("No sign-in is set up here.");
  const { access_token } = await request(config.token, { body: { username } });
  sessionStorage.setItem(KEY, access_token);
}

/** Forgets the author. With a provider: its logout. */
export function signOut() {
  sessionStorage.removeItem(KEY);
}
