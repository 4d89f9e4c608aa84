// Signing in with a name alone, as the local stack allows. A reload and a new tab go on with the author who signed in
// last; a tab that is open stays that of its own author, as with a provider. Signing out ends that author's sessions.

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
  /** @type {(() => void)[]} */
  const listeners = [];

  window.addEventListener("storage", ({ key, oldValue, newValue }) => {
    if (key !== KEY || newValue !== null || !isOfOneAuthor(session, oldValue)) return;
    session = null;
    for (const listener of listeners) listener();
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

  /** @param {string} refused */
  async function renewedToken(refused) {
    const stored = localStorage.getItem(KEY); // perhaps that of a later sign-in, in another tab
    if (!stored || stored === refused || !isOfOneAuthor(stored, refused))
      throw new SignedOut("Your sign-in has expired. Sign in again.");
    session = stored;
    return stored;
  }

  /** @param {string} username */
  async function signIn(username) {
    const { access_token } = await request(url, { body: { username } });
    session = access_token;
    localStorage.setItem(KEY, access_token);
  }

  async function signOut() {
    const ended = session;
    session = null;
    if (isOfOneAuthor(ended, localStorage.getItem(KEY))) localStorage.removeItem(KEY);
  }

  /** @param {() => void} listener */
  function whenEndedElsewhere(listener) {
    listeners.push(listener);
  }
}

/**
 * @param {string|null} one
 * @param {string|null} other
 */
function isOfOneAuthor(one, other) {
  return one !== null && other !== null && subjectOf(one) === subjectOf(other);
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
