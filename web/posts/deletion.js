// Deleting posts after a short time, in which it can be undone.

import { showToast } from "../lib/toast.js";
import { remove } from "./actions.js";
import { goesOutWithin } from "./post_state.js";
import { GRACE, waitingActions } from "./undo.js";

/** @import { Post } from "./posts.js" */

/**
 * Deletes posts when the time to undo it is over; those that would be out by then at once.
 * @param {Post[]} those
 * @param {(those: Post[]) => string} messageOf What to say of posts whose deletion can be undone.
 */
export function removeLater(those, messageOf) {
  const urgent = those.filter((post) => goesOutWithin(post, 2 * GRACE));
  const others = those.filter((post) => !urgent.includes(post));
  if (others.length) start(others, messageOf(others));
  if (!urgent.length) return;
  start(urgent, "");
  waitingActions.complete(urgent[0].id);
  const [number, was] = urgent.length === 1 ? ["1 post", "it was"] : [`${urgent.length} posts`, "they were"];
  showToast(`Deleting ${number} at once: ${was} about to go out.`);
}

/**
 * @param {Post[]} those
 * @param {string} message
 */
function start(those, message) {
  waitingActions.start({ ids: those.map(({ id }) => id), kind: "remove", message, act: remove });
}
