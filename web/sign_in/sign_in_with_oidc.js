// Signing in with an OpenID Connect provider. The browser leaves for the provider's page and comes back; the tokens are
// in the memory of this page alone, so a reload asks the provider again, without a page of its own.

import { newRedirect, OidcProvider, PageNeeded } from "./oidc_provider.js";
import { SignedOut } from "./signed_out.js";

/**
 * @import { OidcConfig } from "../lib/config.js"
 * @import { AuthorAtProvider, Redirect, Tokens } from "./oidc_provider.js"
 * @import { SignIn } from "./sign_in.js"
 */

/** In sessionStorage, while the browser is at the provider. */
const REDIRECT = "sign-in under way";

/** In localStorage, while somebody is signed in with this browser. It is no token. */
const SIGNED_IN = "signed in with the provider";

/** A token is renewed so long before it expires, or when a quarter of its life is left. */
const MARGIN = 30_000;

const EXPIRED = "Your sign-in has expired. Sign in again.";
const SOMEBODY_ELSE = "The sign-in provider answered for somebody else than before. Sign in again.";

/**
 * @param {OidcConfig} config
 * @returns {SignIn}
 */
export function signInWithOidc(config) {
  const page = new URL(".", location.href).href;
  const provider = new OidcProvider(config, page);
  /** @type {Tokens & {author: AuthorAtProvider, renewAt: number}|null} */
  let session = null;
  /** @type {Promise<string>|null} */
  let renewing = null;

  whenEndedElsewhere(() => {
    session = null;
  });

  return { method: "provider", author, accessToken, renewedToken, signIn, signOut, whenEndedElsewhere };

  /** @param {() => void} listener */
  function whenEndedElsewhere(listener) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (key === SIGNED_IN && newValue === null) listener();
    });
  }

  async function author() {
    const redirect = takeRedirect();
    const answer = new URLSearchParams(location.search);
    if (answer.has("code") || answer.has("error")) {
      history.replaceState(null, "", location.pathname + (redirect?.hash ?? location.hash));
      return finish(answer, redirect);
    }
    // A provider that sends the browser back without an answer is not asked again and again.
    if (localStorage.getItem(SIGNED_IN) && !redirect?.isSilent) return leave("none");
    throw new SignedOut("");
  }

  /**
   * @param {URLSearchParams} answer
   * @param {ReturnType<typeof takeRedirect>} redirect
   */
  async function finish(answer, redirect) {
    if (!redirect) throw new SignedOut("This sign-in has ended, or it began in another window. Sign in again.");
    try {
      const tokens = await provider.tokensFor(answer, redirect);
      if (!tokens.author) throw new SignedOut("The sign-in provider does not say who you are.");
      session = { ...tokens, author: tokens.author, renewAt: renewalOf(tokens) };
    } catch (error) {
      // Nobody pressed a button for this sign-in, so nothing is explained.
      throw error instanceof PageNeeded && redirect.isSilent ? new SignedOut("", { cause: error }) : error;
    }
    localStorage.setItem(SIGNED_IN, "yes");
    return session.author;
  }

  async function accessToken() {
    if (!session) throw new SignedOut(EXPIRED);
    return Date.now() < session.renewAt ? session.access_token : renew();
  }

  /** @param {string} refused */
  async function renewedToken(refused) {
    return session && session.access_token !== refused ? session.access_token : renew();
  }

  /** One renewal at a time: a rotated refresh token that is used twice ends the session at the provider. */
  function renew() {
    renewing ??= renewOnce().finally(() => {
      renewing = null;
    });
    return renewing;
  }

  async function renewOnce() {
    const before = session;
    if (!before?.refresh_token) throw new SignedOut(EXPIRED);
    const tokens = await provider.renewed(before.refresh_token);
    if (session !== before) throw new SignedOut(EXPIRED);
    // A renewal's ID token must have the subject of the first one (OpenID Connect Core, 12.2).
    if (tokens.author && tokens.author.subject !== before.author.subject) {
      session = null;
      throw new SignedOut(SOMEBODY_ELSE);
    }
    session = {
      ...tokens,
      refresh_token: tokens.refresh_token ?? before.refresh_token,
      author: before.author,
      renewAt: renewalOf(tokens),
    };
    return session.access_token;
  }

  async function signIn() {
    await leave();
  }

  async function signOut() {
    const ended = session;
    session = null;
    localStorage.removeItem(SIGNED_IN);
    // A token that could not be revoked was in this page's memory alone, and is gone.
    if (ended?.refresh_token) await provider.revoke(ended.refresh_token).catch(() => {});
    const url = await provider.endSessionUrl(ended?.author.session_id ?? null);
    if (url) await leaveFor(() => location.assign(url));
  }

  /**
   * Leaves for the provider.
   * @param {"none"} [prompt] "none": comes back at once, signed in or not.
   * @returns {Promise<never>}
   */
  async function leave(prompt) {
    const redirect = newRedirect();
    const url = await provider.authorizationUrl(redirect, prompt);
    const isSilent = prompt === "none";
    sessionStorage.setItem(REDIRECT, JSON.stringify({ ...redirect, isSilent, hash: location.hash }));
    return leaveFor(() => (isSilent ? location.replace(url) : location.assign(url)));
  }
}

/**
 * What was kept for the redirect that has just ended, if any. It can be taken once.
 * @returns {Redirect & {isSilent: boolean, hash: string}|null}
 */
function takeRedirect() {
  const kept = sessionStorage.getItem(REDIRECT);
  sessionStorage.removeItem(REDIRECT);
  return kept ? JSON.parse(kept) : null;
}

/**
 * @param {() => void} navigate
 * @returns {Promise<never>} Does not settle: the page is being left.
 */
function leaveFor(navigate) {
  navigate();
  return new Promise(() => {});
}

/** @param {Tokens} tokens */
function renewalOf({ lifetime }) {
  return lifetime === null ? Number.POSITIVE_INFINITY : Date.now() + lifetime - Math.min(MARGIN, lifetime / 4);
}
