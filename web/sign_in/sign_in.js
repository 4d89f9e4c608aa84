// Who the author is, and the token that says so to the API. No other module knows where tokens come from.

import { config } from "../lib/config.js";
import { TokenRefused } from "../lib/http.js";
import { SignedOut } from "./signed_out.js";

/**
 * `subject` is the `sub` of the token: the identity. `name` is what the author is called on the page.
 * @typedef {{subject: string, name: string}} Author
 */

/**
 * A way to sign in. A method whose promise does not settle has left the page.
 * @typedef {object} SignIn
 * @property {"name"|"provider"} method With a name alone, or on the page of a provider.
 * @property {() => Promise<Author>} author Who is signed in when the page opens. Throws SignedOut when it is nobody.
 * @property {() => Promise<string>} accessToken A token that is fresh enough to be sent now. Throws SignedOut.
 * @property {(refused: string) => Promise<string>} renewedToken Another token than the one that was refused. Throws
 *   SignedOut.
 * @property {(username: string) => Promise<void>} signIn The name is empty with a provider.
 * @property {(listener: () => void) => void} whenEndedElsewhere Calls `listener` when another tab has signed out.
 * @property {() => Promise<void>} signOut Nobody is signed in from the call on, whatever the promise does.
 */

const chosen = await choose();

/** How an author signs in; null: no sign-in is set up. */
export const signInMethod = chosen?.method ?? null;

/** The author who is signed in when the page opens. @throws {SignedOut} */
export async function signedInAuthor() {
  return inUse().author();
}

/**
 * What `send` answers for the author's token. If the server refuses the token, `send` is called once more, with another.
 * @template T
 * @param {(token: string) => Promise<T>} send
 * @returns {Promise<T>}
 * @throws {SignedOut}
 */
export async function withAccessToken(send) {
  const token = await inUse().accessToken();
  try {
    return await send(token);
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    return sendAgain(send, await inUse().renewedToken(token));
  }
}

/** Signs in by this name, or leaves for the provider's page. @param {string} username Empty with a provider. */
export async function signIn(username) {
  await inUse().signIn(username);
}

/** Calls `listener` when the author has signed out in another tab. @param {() => void} listener */
export function whenSignedOutElsewhere(listener) {
  chosen?.whenEndedElsewhere(listener);
}

/** Ends the author's session, here and at the provider. */
export async function signOut() {
  await inUse().signOut();
}

/** @returns {Promise<SignIn|null>} */
async function choose() {
  if (config.oidc) return (await import("./sign_in_with_oidc.js")).signInWithOidc(config.oidc);
  if (config.token) return (await import("./sign_in_by_name.js")).signInByName(config.token);
  return null;
}

function inUse() {
  if (!chosen) throw new SignedOut("");
  return chosen;
}

/**
 * @template T
 * @param {(token: string) => Promise<T>} send
 * @param {string} token
 */
async function sendAgain(send, token) {
  try {
    return await send(token);
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    throw new SignedOut(`The server does not accept this sign-in: ${error.message}`, { cause: error });
  }
}
