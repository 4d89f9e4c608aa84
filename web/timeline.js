// What has arrived at the local X. The page's own server asks X; see machine_room.js.

import { h, keyed, setText } from "./dom.js";
import { request } from "./http.js";
import { posts } from "./posts.js";
import { dayName, inSeconds, lateness, timeToTheMillisecond } from "./times.js";
import { watching } from "./watching.js";

const STEP = 50;
const UNCLAIMED = "X has it, but no post of yours knows: the answer was lost, to be looked up, or the post is gone.";

/**
 * Shows the tweets in `root`, the latest first.
 * @param {Element} root
 * @param {{machineRoom: string}} config
 * @returns {{show: () => void, hide: () => void}} Looks for tweets between `show` and `hide` alone.
 */
export function timeline(root, config) {
  let limit = STEP;
  let isFirstLook = true;
  const away = h("p", { class: "notice wait", role: "status", hidden: true });
  const empty = h("p", { class: "empty", hidden: true }, "Nothing has arrived yet. Schedule a post and watch it come.");
  const list = h("ol", { class: "tweets", reversed: true });
  const more = h("button", { class: "button quiet", type: "button", on: { click: showMore } }, "Show more");
  more.hidden = true;
  root.append(header(), away, empty, list, more);

  async function look(signal) {
    const tweets = await request(`${config.machineRoom}tweets?limit=${limit + 1}`, { signal });
    if (signal.aborted) return;
    empty.hidden = tweets.length > 0;
    more.hidden = tweets.length <= limit;
    const owned = ownership();
    const latestFirst = tweets.reverse().slice(0, limit);
    keyed(list, latestFirst, ({ id }) => id, create, (item, tweet) => tellWhose(item, tweet, owned));
    isFirstLook = false;
  }

  function create(tweet) {
    const item = tweetItem(tweet);
    if (!isFirstLook) item.classList.add("arrived");
    return item;
  }

  function showMore() {
    limit += STEP;
    isFirstLook = true;
    watch.lookNow();
  }

  const watch = watching(look, (error) => {
    away.hidden = !error;
    if (error) setText(away, `${error.message} It is asked again.`);
  });
  return watch;
}

function header() {
  return h(
    "header",
    { class: "view-header" },
    h("h2", {}, "Timeline"),
    h("p", { class: "soft" }, "What X has, the latest on top, with the moment to the millisecond at which it arrived."),
  );
}

function tweetItem(tweet) {
  return h(
    "li",
    {},
    h(
      "article",
      { class: "card tweet", "aria-label": `Post of @${tweet.username}` },
      h("p", { class: "tweet-line" }, h("strong", {}, `@${tweet.username}`), " ", moment(tweet.created_at)),
      h("p", { class: "tweet-text", dir: "auto" }, tweet.text),
      h("p", { class: "tweet-note small soft", hidden: true }),
    ),
  );
}

function moment(created_at) {
  const words = `${dayName(created_at)}, ${timeToTheMillisecond(created_at)}`;
  return h("time", { class: "small soft", datetime: created_at }, words);
}

/** The author's posts by the tweet they became, and the names of the author's accounts, in small letters as X does. */
function ownership() {
  return {
    byTweet: new Map(posts.all().map((post) => [post.tweet_id, post])),
    names: new Set(posts.accounts.map(({ account_name }) => account_name.toLowerCase())),
  };
}

function tellWhose(item, tweet, { byTweet, names }) {
  const note = item.querySelector(".tweet-note");
  const words = noteOn(byTweet.get(tweet.id), names.has(tweet.username.toLowerCase()));
  note.hidden = !words;
  setText(note, words);
}

function noteOn(post, isOwn) {
  if (!post) return isOwn ? UNCLAIMED : "";
  const late = lateness(post);
  return late < 0 ? `${inSeconds(-late)} before its time.` : `${inSeconds(late)} after its time.`;
}
