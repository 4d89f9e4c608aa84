// Who is calling. This module is all that an identity provider replaces.

import { config } from "./config.js";
import { request } from "./http.js";

const KEY = "session";

/**
 * How one signs in here: by "name" alone, as the local stack allows; with a "provider", at whose page `signIn` goes on;
 * or null: there is no way in.
 * @type {"name"|"provider"|null}
 */
export const wayIn = config.token ? "name" : null;

/** Nobody is signed in, or no longer. */
export class SignedOut extends Error {}

/**
 * The bearer token of the author, fresh enough to be sent now.
 *
 * Auth0, or any OpenID Connect provider, plugs in here: return what its library gives, for example
 * `auth0.getTokenSilently()`, let `wayIn` be "provider", and `signIn` and `signOut` be its own. A provider comes back
 * to this page: what it then has in the address is taken up here, before the token is asked for. The token must be a
 * JWT that Hasura's HASURA_GRAPHQL_JWT_SECRET accepts.
 * @returns {Promise<string>}
 * @throws {SignedOut}
 */
export async function accessToken() {
  const session = sessionStorage.getItem(KEY);
  if (!session) throw new SignedOut("You are not signed in.");
  return session;
}

/** What the token calls the author (its `sub`), without asking anybody. @throws {SignedOut} */
export async function subject() {
  const [, claims = ""] = (await accessToken()).split(".");
  try {
    const bytes = Uint8Array.from(atob(claims.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.codePointAt(0));
    return String(JSON.parse(new TextDecoder().decode(bytes)).sub);
  } catch (error) {
    throw new SignedOut("This sign-in cannot be read. Sign in again.", { cause: error });
  }
}

/**
 * Signs in, by name alone. With a provider: leaves for its page, for example `auth0.loginWithRedirect()`.
 * @param {string} username Empty with a provider.
 * @throws {Problem|Away}
 */
export async function signIn(username) {
  const { access_token } = await request(config.token, { body: { username } });
  sessionStorage.setItem(KEY, access_token);
}

/** Forgets the author. With a provider: its logout. */
export function signOut() {
  sessionStorage.removeItem(KEY);
}
