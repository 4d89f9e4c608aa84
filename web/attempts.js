// Each try to publish a post, to the millisecond, with what X said.

import { h, keyed, setText } from "./dom.js";
import { instant, timeToTheMillisecond } from "./times.js";

const OUTCOMES = {
  tweeted: ["On X", "good"],
  not_sent: ["Not sent", "wait"],
  refused: ["Refused", "bad"],
  unknown: ["Unclear", "wait"],
  duplicate: ["On X already?", "wait"],
  absent: ["Not on X", ""],
  opened: ["Opened again", ""],
};

/**
 * The unfoldable log of a post's attempts.
 * @returns {{element: HTMLElement, refresh: (post) => void}}
 */
export function attemptLog() {
  const summary = h("summary", null);
  const list = h("ol", null);
  const element = h("details", { class: "attempts", hidden: true }, summary, list);

  function refresh(post) {
    const tries = post.post_attempts.filter(({ outcome }) => outcome !== "opened").length;
    element.hidden = !post.post_attempts.length;
    setText(summary, `${tries} ${tries === 1 ? "attempt" : "attempts"}`);
    keyed(list, post.post_attempts, ({ number }) => number, entry, (node, attempt) => refreshEntry(node, attempt, post));
  }

  return { element, refresh };
}

function entry() {
  return h(
    "li",
    null,
    h("p", { class: "attempt-head" }, h("time", null), h("span", { class: "chip" }), h("span", { class: "took number" })),
    h("p", { class: "attempt-detail" }),
    h("blockquote", { class: "attempt-text", dir: "auto" }),
  );
}

function refreshEntry(node, attempt, post) {
  const [time, chip, took] = node.firstElementChild.children;
  const [, detail, text] = node.children;
  const [word, tone] = OUTCOMES[attempt.outcome] ?? ["X is being asked", "accent"];
  const isOther = attempt.outcome !== "opened" && attempt.text !== post.text;
  time.dateTime = attempt.started_at;
  setText(time, timeToTheMillisecond(attempt.started_at));
  setText(chip, word);
  chip.className = `chip ${tone}`;
  setText(took, [lasted(attempt), attempt.status_code && `HTTP ${attempt.status_code}`].filter(Boolean).join(", "));
  setText(detail, attempt.detail ?? "");
  text.hidden = !isOther;
  setText(text, isOther ? attempt.text : "");
}

function lasted({ started_at, finished_at, outcome }) {
  if (!finished_at || outcome === "opened") return "";
  const milliseconds = instant(finished_at) - instant(started_at);
  return milliseconds < 10_000 ? `${milliseconds} ms` : `${Math.round(milliseconds / 1000)} s`;
}
