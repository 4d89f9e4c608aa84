// The addresses that the page needs: config.json, of the local stack or beside the files of a static host.

import { element } from "./dom.js";
import { messageOf } from "./http.js";

const NEEDED = ["createPost", "graphql"];

/**
 * `createPost` and `graphql` are the addresses of the API; `token` exists where an author signs in with a name alone
 * (local stack), `developerTools` where the stack offers developer tools.
 * @typedef {{createPost: string, graphql: string, token?: string, developerTools?: string}} Config
 */
export const config = await read();

/** @returns {Promise<Config>} */
async function read() {
  try {
    return checked(await load());
  } catch (error) {
    element("loading").textContent = `${messageOf(error)} So this page does not know where the API is.`;
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
  const missing = NEEDED.filter((name) => typeof config?.[name] !== "string" || !config[name]);
  if (missing.length) throw new Error(`config.json does not name ${missing.join(" and ")}.`);
  return /** @type {Config} */ (content);
}
