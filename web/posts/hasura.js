// Hasura's GraphQL API with the author's rights: Hasura decides what the author may see and change.

import { config } from "../lib/config.js";
import { Problem, request, TokenRefused, Unreachable } from "../lib/http.js";
import { withAccessToken } from "../sign_in/sign_in.js";

/** @typedef {import("../sign_in/signed_out.js").SignedOut} SignedOut */

/** Hasura, or a rule of the database, refused; the message is theirs. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {{code?: string}} [options] Hasura's own word for why.
   */
  constructor(message, { code = "" } = {}) {
    super(message);
    this.code = code;
  }
}

/** The database undid the whole request, for example to end a deadlock. The same request may succeed later. */
export class NotDone extends Error {}

/**
 * What Hasura answers the author: the `data` of the answer.
 * @param {string} query
 * @param {object} [variables]
 * @param {{timeout?: number, keepalive?: boolean}} [options]
 * @throws {Refusal|NotDone|Unreachable|SignedOut}
 */
export async function asUser(query, variables = {}, options = {}) {
  return withAccessToken(async (token) => {
    const { data, errors } = await send({ ...options, token, body: { query, variables } });
    if (!errors) return data;
    const { message, extensions } = errors[0];
    if (extensions?.code === "invalid-jwt") throw new TokenRefused({ status: 401, detail: message });
    if (extensions?.code === "unexpected")
      throw new NotDone("The database could not do that just now. Try again in a moment.", { cause: message });
    throw new Refusal(message, { code: extensions?.code });
  });
}

/** @param {Parameters<typeof request>[1]} options */
async function send(options) {
  try {
    return await request(config.graphql, options);
  } catch (error) {
    if (error instanceof Problem) throw new Unreachable(error.message, { cause: error }); // GraphQL refuses with 200
    throw error;
  }
}
