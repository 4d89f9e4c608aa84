// Signing in with a name alone, as the local stack allows. A reload and a new tab go on with the author who signed in
// last; a tab that is open stays that of its own author, as with a provider.

import { request } from "../lib/http.js";
import { SignedOut } from "./signed_out.js";

/** @import { SignIn } from "./sign_in.js" */

const KEY = "session";

/**
 * @param {string} url Answers a name with an access token.
 * @returns {SignIn}
 */
export function signInByName(url) {
  /** @type {string|null} */
  let session = null;

  whenEndedElsewhere(() => {
    session = null;
  });

  return { method: "name", author, accessToken, renewedToken, signIn, signOut, whenEndedElsewhere };

  async function author() {
    const subject = subjectOf(await accessToken());
    return { subject, name: subject };
  }

  async function accessToken() {
    session ??= localStorage.getItem(KEY);
    if (!session) throw new SignedOut("");
    return session;
  }

  /** @returns {Promise<never>} */
  async function renewedToken() {
    throw new SignedOut("Your sign-in has expired. Sign in again.");
  }

  /** @param {string} username */
  async function signIn(username) {
    const { access_token } = await request(url, { body: { username } });
    session = access_token;
    localStorage.setItem(KEY, access_token);
  }

  async function signOut() {
    session = null;
    localStorage.removeItem(KEY);
  }
}

/** @param {() => void} listener */
function whenEndedElsewhere(listener) {
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === KEY && newValue === null) listener();
  });
}

/** @param {string} token */
function subjectOf(token) {
  const [, claims = ""] = token.split(".");
  try {
    const bytes = Uint8Array.from(atob(claims.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));
    return String(JSON.parse(new TextDecoder().decode(bytes)).sub);
  } catch (error) {
    throw new SignedOut("This sign-in cannot be read. Sign in again.", { cause: error });
  }
}
