// Each attempt to publish a post, to the millisecond, with X's answer.

import { h, keyed, setText } from "../lib/dom.js";
import { instant, timeToTheMillisecond } from "../lib/times.js";

/** @import { Attempt, Post } from "../posts/posts.js" */

/** @type {Record<string, [string, string]>} */
const OUTCOMES = {
  tweeted: ["On X", "good"],
  not_sent: ["Not sent", "wait"],
  skipped: ["Skipped", ""],
  rejected: ["Rejected", "bad"],
  unknown: ["Unclear", "wait"],
  duplicate: ["On X already?", "wait"],
  absent: ["Not on X", ""],
  opened: ["Opened again", ""],
};

/** The attempts of a post, the first one first. */
export function attemptLog() {
  const heading = h("h4", null);
  const list = h("ol", null);
  const element = h("div", { class: "attempts", hidden: true }, heading, list);

  /** @param {Post} post */
  function refresh(post) {
    const attempts = [...post.post_attempts].reverse();
    const count = attempts.filter(({ outcome }) => outcome !== "opened").length;
    element.hidden = !attempts.length;
    const hasEarlier = attempts.length > 0 && attempts[0].number > 1; // Hasura gives the latest
    setText(heading, `${count}${hasEarlier ? " latest" : ""} ${count === 1 ? "attempt" : "attempts"}`);
    keyed(
      list,
      attempts,
      ({ number }) => number,
      createItem,
      (item, attempt) => item.refresh(attempt, post),
    );
  }

  return { element, refresh };
}

function createItem() {
  const time = h("time", null);
  const chip = h("span", null);
  const took = h("span", { class: "took number" });
  const detail = h("p", { class: "attempt-detail" });
  const text = h("blockquote", { class: "attempt-text", dir: "auto" });
  const item = h("li", null, h("p", { class: "attempt-head" }, time, chip, took), detail, text);

  /**
   * @param {Attempt} attempt
   * @param {Post} post
   */
  function refresh(attempt, post) {
    const [word, tone] = OUTCOMES[attempt.outcome ?? ""] ?? ["Waiting for X", "accent"];
    const hasOtherText = attempt.outcome !== "opened" && attempt.text !== post.text;
    time.dateTime = attempt.started_at;
    setText(time, timeToTheMillisecond(attempt.started_at));
    setText(chip, word);
    chip.className = `chip ${tone}`;
    setText(took, [duration(attempt), attempt.status_code && `HTTP ${attempt.status_code}`].filter(Boolean).join(", "));
    setText(detail, attempt.detail ?? "");
    text.hidden = !hasOtherText;
    setText(text, hasOtherText ? attempt.text : "");
  }

  return Object.assign(item, { refresh });
}

/** @param {Attempt} attempt */
function duration({ started_at, finished_at, outcome }) {
  if (!finished_at || outcome === "opened") return "";
  const milliseconds = instant(finished_at).getTime() - instant(started_at).getTime();
  return milliseconds < 10_000 ? `${milliseconds} ms` : `${Math.round(milliseconds / 1000)} s`;
}
