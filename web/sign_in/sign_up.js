// The author's own row in the database, which the first sign-in makes.

import { SIGN_UP } from "../posts/documents.js";
import { asUser, Refusal } from "../posts/hasura.js";

/** @import { User } from "../posts/posts.js" */

/**
 * Makes the author's row. When another tab has just made it, this fails, and the next poll finds it.
 * @returns {Promise<User>}
 * @throws {Refusal}
 */
export async function signUp() {
  try {
    return (await asUser(SIGN_UP)).insert_user_one;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(`You cannot be signed up here: ${error.message}.`, error);
  }
}
