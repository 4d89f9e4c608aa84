// The rows of the machine room. Each unfolds to what Hasura itself has, as text.

import { h, setAttribute, setText } from "./dom.js";
import { dayAndTime, dayKey, distance, instant, now, timeToTheMillisecond } from "./times.js";

const KINDS = { one_off: "one-off event", cron: "cron event", table: "table event" };
const NOTHING_DUE = "nothing was due";
const TONES = { scheduled: "accent", locked: "wait", delivered: "good", error: "bad", dead: "bad" };

/**
 * A list item for an event of Hasura's.
 * @param {object} event As the page's server tells it: `{id, kind, name, post_id, status, tries, due_at, rings_at,
 *   row}`.
 * @param {(postId: number) => void} onlyPost Called when the reader wants to see what belongs to its post alone.
 */
export function eventRow(event, onlyPost) {
  return unfolding(event, onlyPost, ({ row }) => [["Hasura's row", row]]);
}

/** Brings the list item up to date, and its countdown. */
export function refreshEventRow(item, event) {
  showChip(item, event.status, TONES[event.status]);
  showTime(item, event.rings_at);
  setText(item.querySelector(".row-words"), progress(event));
  item.classList.toggle("aside", event.kind === "cron" && event.status !== "error");
  item.refreshDetails(event);
}

/**
 * A list item for one ring and its answer.
 * @param {object} invocation As the page's server tells it: `{id, kind, name, post_id, status, created_at, request,
 *   response}`.
 * @param {(postId: number) => void} onlyPost As above.
 */
export function invocationRow(invocation, onlyPost) {
  const { status, kind, response } = invocation;
  const item = unfolding(invocation, onlyPost, (row) => [
    ["Request", row.request],
    ["Response", row.response],
  ]);
  const words = answerInWords(response?.data);
  showChip(item, status ?? "no answer", toneOf(status));
  showTime(item, invocation.created_at);
  setText(item.querySelector(".row-words"), words);
  item.classList.toggle("aside", kind === "cron" && words === NOTHING_DUE);
  return item;
}

/** Details are made when they are unfolded, and follow the row while they are. */
function unfolding(row, onlyPost, parts) {
  const body = h("div", { class: "row-body" });
  const details = h(
    "details",
    { on: { toggle: fill } },
    h(
      "summary",
      {},
      h("span", { class: "row-line" }, h("span", { class: "chip" }), " ", h("time", { class: "number small soft" })),
      h(
        "span",
        { class: "row-name" },
        `${row.name} `,
        h("span", { class: "row-kind small soft" }, KINDS[row.kind]),
      ),
      h("span", { class: "row-words small soft" }),
    ),
    body,
  );
  const item = h("li", { class: "row" }, details);
  item.refreshDetails = (news) => {
    row = news;
    fill();
  };
  return item;

  function fill() {
    if (!details.open) return;
    const shown = parts(row);
    if (!body.firstChild) body.append(...onlyButton(row.post_id, onlyPost), ...shown.map(([title]) => part(title)));
    const texts = body.querySelectorAll("pre");
    shown.forEach(([, value], index) => setText(texts[index], JSON.stringify(value, null, 2)));
  }
}

function onlyButton(postId, onlyPost) {
  if (postId === null) return [];
  const words = `Only what belongs to post ${postId}`;
  return [h("button", { class: "button quiet", type: "button", on: { click: () => onlyPost(postId) } }, words)];
}

function part(title) {
  return h("div", {}, h("h4", {}, title), h("pre", {}));
}

function showChip(item, words, tone) {
  const chip = item.querySelector(".chip");
  setText(chip, String(words));
  setAttribute(chip, "class", `chip ${tone}`);
}

function showTime(item, time) {
  const element = item.querySelector("time");
  setAttribute(element, "datetime", time);
  setText(element, dayKey(time) === dayKey(now()) ? timeToTheMillisecond(time) : dayAndTime(time));
}

function progress({ status, tries, rings_at }) {
  const tried = tries ? `rang ${times(tries)}` : "";
  if (status === "locked") return [tried, "ringing now"].filter(Boolean).join(", ");
  if (status !== "scheduled") return tried || "never rang";
  const next = instant(rings_at) > now() ? `${tries ? "again" : "rings"} ${distance(rings_at)}` : "due now";
  return [tried, next].filter(Boolean).join(", ");
}

function times(count) {
  return count === 1 ? "once" : count === 2 ? "twice" : `${count} times`;
}

function toneOf(status) {
  if (status === null) return "bad";
  if (status < 300) return "good";
  return status === 503 ? "wait" : "bad"; // with 503 the webhook asks to be rung again
}

/** What postTweet said, from a success's body or a failure's message; text of others as it is. */
function answerInWords(data) {
  const said = data?.body ?? data?.message;
  if (typeof said !== "object" || said === null) return said || "";
  if (said.state) return [said.state, said.reason].filter(Boolean).join(": ");
  if (said.claimed) return claimed(said.claimed);
  return said.reason ?? said.detail ?? said.message ?? "";
}

function claimed(counts) {
  const ended = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  return ended.length ? `what was due: ${ended.join(", ")}` : NOTHING_DUE;
}
