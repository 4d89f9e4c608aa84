// What was published on the local X. The page's own server asks X.

import { h, keyed, showMessage } from "../lib/dom.js";
import { messageOf, request } from "../lib/http.js";
import { polling } from "../lib/polling.js";
import { dayName, inSeconds, lateness, timeToTheMillisecond } from "../lib/times.js";
import { posts } from "../posts/posts.js";

/** @import { Post } from "../posts/posts.js" */
/** @typedef {{id: string, text: string, username: string, created_at: string}} Tweet */

const STEP = 50;
const WITHOUT_POST =
  "X has it, but none of your posts has its id: the answer was lost and X will be asked, or the post was deleted.";

/**
 * Shows the tweets in `root`, the latest first. It polls only while it is shown.
 * @param {HTMLElement} root
 * @param {string} url Of the page's server, ending in a slash.
 */
export function timeline(root, url) {
  let limit = STEP;
  let marksNew = false;
  const failure = h("p", { class: "notice wait", role: "status", hidden: true });
  const empty = h(
    "p",
    { class: "empty", hidden: true },
    "Nothing is published yet. Schedule a post, and it appears here.",
  );
  const list = h("ol", { class: "tweets", reversed: true });
  const more = h(
    "button",
    { class: "button quiet", type: "button", hidden: true, on: { click: showMore } },
    "Show more",
  );
  const description = "What X has, the latest first, with the time to the millisecond at which X received it.";
  root.append(
    h("header", { class: "view-header" }, h("h2", null, "Timeline"), h("p", { class: "soft" }, description)),
    failure,
    empty,
    list,
    more,
  );

  const polled = polling(poll, (error) => showMessage(failure, error ? `${messageOf(error)} It tries again.` : ""));
  return polled;

  /** @param {AbortSignal} signal */
  async function poll(signal) {
    /** @type {Tweet[]} */
    const tweets = await request(`${url}tweets?limit=${limit + 1}`, { signal });
    if (signal.aborted) return;
    empty.hidden = tweets.length > 0;
    more.hidden = tweets.length <= limit;
    const byTweet = new Map(posts.all().map((post) => [post.tweet_id, post]));
    const names = new Set(posts.accounts.map(({ account_name }) => account_name.toLowerCase())); // as X compares them
    keyed(
      list,
      tweets.reverse().slice(0, limit),
      ({ id }) => id,
      (tweet) => tweetItem(tweet, marksNew),
      (item, { id, username }) => item.showNote(noteOn(byTweet.get(id), names.has(username.toLowerCase()))),
    );
    marksNew = true;
  }

  function showMore() {
    limit += STEP;
    marksNew = false;
    polled.pollNow();
  }
}

/**
 * @param {Tweet} tweet
 * @param {boolean} isNew
 */
function tweetItem({ username, text, created_at }, isNew) {
  const note = h("p", { class: "tweet-note small soft", hidden: true });
  const at = `${dayName(created_at)}, ${timeToTheMillisecond(created_at)}`;
  const time = h("time", { class: "small soft", datetime: created_at }, at);
  const item = h(
    "li",
    { class: isNew && "arrived" },
    h(
      "article",
      { class: "card tweet", "aria-label": `Post of @${username}` },
      h("p", { class: "tweet-line" }, h("strong", null, `@${username}`), " ", time),
      h("p", { class: "tweet-text", dir: "auto" }, text),
      note,
    ),
  );
  return Object.assign(item, { showNote: (/** @type {string} */ message) => showMessage(note, message) });
}

/**
 * @param {Post|undefined} post
 * @param {boolean} isOwn
 */
function noteOn(post, isOwn) {
  const late = post ? lateness(post) : null;
  if (late === null) return isOwn ? WITHOUT_POST : "";
  return late < 0 ? `${inSeconds(-late)} before its time.` : `${inSeconds(late)} after its time.`;
}
