// The author's own row in the database, which the first sign-in makes.

import { AUTHOR, asUser, Refusal, SIGN_UP } from "./hasura.js";

/**
 * Makes the author's row. It is no error when another tab has just made it.
 * @returns {Promise<{id: number, username: string}>}
 */
export async function signUp() {
  try {
    return (await asUser(SIGN_UP)).insert_user_one;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { user } = await asUser(AUTHOR);
    if (!user.length) throw new Refusal(`You cannot be signed up here: ${error.message}.`, error);
    return user[0];
  }
}
