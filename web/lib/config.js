// The addresses that the page needs: config.json, of the local stack or beside the files of a static host.

import { element } from "./dom.js";
import { messageOf } from "./http.js";

const NEEDED = ["createPost", "graphql"];
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const NEEDED_OF_OIDC = ["issuer", "client_id"];
const OPTIONAL_OF_OIDC = ["scope", "audience", "resource", "prompt"];

/**
 * An OpenID Connect provider; docs/page.md explains the entries.
 * @typedef {{issuer: string, client_id: string, scope?: string, audience?: string, resource?: string,
 *   prompt?: string}} OidcConfig
 */

/**
 * `createPost` and `graphql` are the addresses of the API; `oidc` exists where an author signs in with a provider,
 * `token` where an author signs in with a name alone (local stack), `developerTools` where the stack offers developer
 * tools, and `simulatedX` is true where nothing is published on the real X.
 * @typedef {{createPost: string, graphql: string, oidc?: OidcConfig, token?: string, developerTools?: string,
 *   simulatedX?: boolean}} Config
 */
export const config = await read();

/** @returns {Promise<Config>} */
async function read() {
  try {
    return checked(await load());
  } catch (error) {
    element("loading").textContent = `${messageOf(error)} Without it this page cannot start.`;
    throw error;
  }
}

async function load() {
  try {
    const answer = await fetch("config.json");
    return await answer.json();
  } catch (error) {
    throw new Error("config.json cannot be read. Reload the page to try again.", { cause: error });
  }
}

/** @param {unknown} content */
function checked(content) {
  const config = /** @type {Record<string, unknown>|null} */ (content);
  checkTexts(config, NEEDED);
  if (config?.oidc !== undefined) checkOidc(/** @type {Record<string, unknown>|null} */ (config.oidc));
  return /** @type {Config} */ (content);
}

/** @param {Record<string, unknown>|null} oidc */
function checkOidc(oidc) {
  checkTexts(oidc, NEEDED_OF_OIDC, "oidc.");
  const given = OPTIONAL_OF_OIDC.filter((name) => oidc && name in oidc);
  checkTexts(oidc, given, "oidc.");
  if (!isSafe(String(oidc?.issuer))) throw new Error("config.json: oidc.issuer must be an address with https://.");
}

/**
 * @param {Record<string, unknown>|null} object
 * @param {string[]} names
 * @param {string} [prefix] Of the names in the message.
 */
function checkTexts(object, names, prefix = "") {
  const missing = names.filter((name) => typeof object?.[name] !== "string" || !object[name]);
  if (missing.length)
    throw new Error(`config.json does not name ${missing.map((name) => prefix + name).join(" and ")}.`);
}

/**
 * Tokens are sent encrypted, except to this machine.
 * @param {string} address
 */
function isSafe(address) {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
}
