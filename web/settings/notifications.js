// A notification of the browser when a post fails while nobody looks at the page, if the author wants it.

import { needsAttention } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";

const ON = "notifications";

/** Whether this browser has notifications. */
export function canNotify() {
  return "Notification" in window;
}

/** Whether they are on and allowed. */
export function areNotificationsOn() {
  return canNotify() && localStorage.getItem(ON) !== null && Notification.permission === "granted";
}

/**
 * @param {boolean} value
 * @returns {Promise<boolean>} Whether they are on now: the browser may not allow them.
 */
export async function switchNotifications(value) {
  if (value && (await Notification.requestPermission()) === "granted") localStorage.setItem(ON, "true");
  else localStorage.removeItem(ON);
  return areNotificationsOn();
}

/** @type {Set<number>|null} The posts that needed attention when they were last looked at; null: before the first time. */
let known = null;

posts.addEventListener("change", () => {
  const failed = posts.all().filter(needsAttention);
  const news = failed.filter(({ id }) => known && !known.has(id));
  known = new Set(failed.map(({ id }) => id));
  if (news.length && document.hidden && areNotificationsOn()) {
    const words = news.length === 1 ? "A post needs your attention." : `${news.length} posts need your attention.`;
    show(words);
  }
});

/**
 * Chrome on Android allows notifications, but makes none for a page without a service worker.
 * @param {string} words No word of a post: others may see the screen.
 */
function show(words) {
  try {
    new Notification(words, { tag: "attention" });
  } catch {
    localStorage.removeItem(ON);
  }
}
