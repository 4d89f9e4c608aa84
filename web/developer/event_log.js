// The event log: Hasura's pending and processed events and its invocation logs, as Hasura's console shows them.

import { h, keyed, setAttribute, setText } from "../lib/dom.js";
import { showFieldError } from "../lib/field_error.js";
import { dayAndTime, dayKey, distance, instant, now, timeToTheMillisecond } from "../lib/times.js";

/**
 * As the page's server sends them; see local/web_server/event_rows.py.
 * @typedef {"one_off"|"cron"|"table"} EventKind
 * @typedef {{id: string, kind: EventKind, name: string, post_id: number|null, status: string, tries: number,
 *   delivery_at: string, row: object}} HasuraEvent
 * @typedef {{id: string, kind: EventKind, name: string, post_id: number|null, status: number|null, created_at: string,
 *   request: object, response: {data?: {body?: unknown, message?: unknown}}|null}} Invocation
 */

/**
 * @template {HasuraEvent|Invocation} R
 * @typedef {{rows: R[], more: boolean, searched_all: boolean}} Page `searched_all`: no row of the wanted post is missing.
 */

/** @typedef {(path: string) => Promise<any>} Get Requests JSON from the page's server. */

const FIRST = 8;
const STEP = 20;
const MOST = 200; // as many as the page's server sends

const KINDS = { one_off: "one-off scheduled event", cron: "cron event", table: "table event" };
/** @type {Record<string, string>} */
const TONES = { scheduled: "accent", locked: "wait", delivered: "good", error: "bad", dead: "bad" };
const NOTHING_DUE = "nothing was due";

/** @type {Record<string, EventKind[]>} The choices of the filter, and the kinds of events in each. */
const CHOICES = {
  "One-off and table": ["one_off", "table"],
  "One-off": ["one_off"],
  Table: ["table"],
  Cron: ["cron"],
  All: ["one_off", "table", "cron"],
};

/**
 * @param {Get} get
 * @param {() => void} onChange Called when other rows are wanted.
 * @returns {{element: HTMLElement, load: (signal: AbortSignal) => Promise<void>}} `load` requests the rows and shows
 *   them.
 */
export function eventLog(get, onChange) {
  const filter = eventFilter(() => {
    for (const panel of [pending, processed, logs]) panel.expectOthers();
    onChange();
  });
  const events = {
    create: (/** @type {HasuraEvent} */ event) => eventItem(event, filter.onlyPost),
    refresh: refreshEventItem,
    onMore: onChange,
  };
  const pending = panel({
    title: "Pending events",
    description: "Events that Hasura will deliver, the soonest first.",
    empty: "No event is pending.",
    unsearched: "Only the next 1,000 events were searched.",
    ...events,
  });
  const processed = panel({
    title: "Processed events",
    description: "Events that Hasura will not deliver again, the latest first: delivered, failed, or too late.",
    empty: "No event was processed yet.",
    unsearched: "Only the latest 1,000 events were searched.",
    ...events,
  });
  const logs = panel({
    title: "Invocation logs",
    description: "Deliveries, the latest first: Hasura's request to postTweet, and the response.",
    empty: "No event was delivered yet.",
    unsearched: "Only the latest 1,000 deliveries were searched.",
    create: (/** @type {Invocation} */ invocation) => invocationItem(invocation, filter.onlyPost),
    onMore: onChange,
  });
  const element = h(
    "section",
    { class: "event-log", "aria-labelledby": "event-log-title" },
    h("h3", { id: "event-log-title" }, "Event log"),
    filter.element,
    h("div", { class: "panels" }, pending.element, processed.element, logs.element),
  );

  /** @param {AbortSignal} signal */
  async function load(signal) {
    const [events, invocations] = await Promise.all([
      get(`events?${filter.query(Math.max(pending.limit(), processed.limit()))}`),
      get(`invocations?${filter.query(logs.limit())}`),
    ]);
    if (signal.aborted) return;
    pending.show(events.pending);
    processed.show(events.processed);
    logs.show(invocations);
  }

  return { element, load };
}

/**
 * Which events are shown: `query` is the query for the page's server, `onlyPost` selects the events of one post.
 * @param {() => void} onChange
 */
function eventFilter(onChange) {
  const options = Object.keys(CHOICES).map((choice) => h("option", null, choice));
  const choice = h("select", { id: "event-choice", on: { input: onChange } }, ...options);
  const post = h("input", {
    id: "event-post",
    type: "number",
    min: 1,
    step: 1,
    inputmode: "numeric",
    placeholder: "any",
    "aria-describedby": "event-post-error",
    on: { input: takePost },
  });
  const error = h("p", { class: "field-error", id: "event-post-error", role: "alert", hidden: true });
  const element = h(
    "form",
    { class: "event-filter", "aria-label": "Which events", on: { submit: (event) => event.preventDefault() } },
    h("div", { class: "field" }, h("label", { for: "event-choice" }, "Events"), choice),
    h("div", { class: "field" }, h("label", { for: "event-post" }, "Of post number"), post, error),
  );

  /** @param {number} id */
  function onlyPost(id) {
    post.value = String(id);
    post.focus();
    takePost();
  }

  function takePost() {
    const isValid = post.validity.valid;
    showFieldError(
      post,
      error,
      isValid ? null : "This is not the number of a post. The events of all posts are shown.",
    );
    onChange();
  }

  /** @param {number} limit */
  function query(limit) {
    const query = new URLSearchParams({ limit: String(limit) });
    for (const kind of CHOICES[choice.value]) query.append("kind", kind);
    if (post.value && post.validity.valid) query.set("post", post.value);
    return query;
  }

  return { element, onlyPost, query };
}

/**
 * A region with rows. `limit` is how many are wanted; `show` takes them and marks new ones; after `expectOthers`, when
 * other rows are requested, none counts as new.
 * @template {HasuraEvent|Invocation} R
 * @param {{title: string, description: string, empty: string, unsearched: string, create: (row: R) => HTMLElement,
 *   refresh?: (item: HTMLElement, row: R) => void, onMore: () => void}} options
 */
function panel({ title, description, empty, unsearched, create, refresh, onMore }) {
  const id = `${title.toLowerCase().replaceAll(" ", "-")}-title`;
  const nothing = h("p", { class: "empty", hidden: true }, empty);
  const limited = h("p", { class: "small soft", hidden: true }, unsearched);
  const list = h("ol", { class: "rows" });
  const more = h("button", { class: "button quiet", type: "button", on: { click: showMore } }, "Show more");
  const element = h(
    "section",
    { class: "card panel", "aria-labelledby": id },
    h("h4", { id }, title),
    h("p", { class: "small soft" }, description),
    nothing,
    limited,
    list,
    more,
  );
  let wanted = FIRST;
  let areOthers = true;

  /** @param {Page<R>} page */
  function show(page) {
    const rows = page.rows.slice(0, wanted);
    nothing.hidden = rows.length > 0 || !page.searched_all;
    limited.hidden = page.searched_all;
    more.hidden = (!page.more && rows.length === page.rows.length) || wanted >= MOST;
    keyed(list, rows, (row) => row.id, createMarked, refresh);
    areOthers = false;
  }

  function expectOthers() {
    areOthers = true;
  }

  /** @param {R} row */
  function createMarked(row) {
    const item = create(row);
    if (!areOthers) item.classList.add("arrived");
    return item;
  }

  function showMore() {
    wanted = Math.min(wanted + STEP, MOST);
    expectOthers();
    onMore();
  }

  return { element, limit: () => wanted, show, expectOthers };
}

/**
 * @param {HasuraEvent} event
 * @param {(postId: number) => void} onlyPost
 */
function eventItem(event, onlyPost) {
  return item(event, onlyPost, ({ row }) => ({ "Hasura's row": row }));
}

/**
 * @param {HTMLElement} item
 * @param {HasuraEvent} event
 */
function refreshEventItem(item, event) {
  showSummary(item, event.status, TONES[event.status], event.delivery_at, progress(event));
  item.classList.toggle("minor", event.kind === "cron" && event.status !== "error");
  detailsOf.get(item)?.(event);
}

/**
 * @param {Invocation} invocation
 * @param {(postId: number) => void} onlyPost
 */
function invocationItem(invocation, onlyPost) {
  const { status, kind, created_at, response } = invocation;
  const created = item(invocation, onlyPost, ({ request, response }) => ({ Request: request, Response: response }));
  const summary = responseInWords(response?.data);
  showSummary(created, String(status ?? "no answer"), toneOf(status), created_at, summary);
  created.classList.toggle("minor", kind === "cron" && summary === NOTHING_DUE);
  return created;
}

/** @type {WeakMap<HTMLElement, (row: any) => void>} Refreshes the details of an item, given its row as it is now. */
const detailsOf = new WeakMap();

/**
 * A list item whose details are made when they are opened, and follow the row while they are open.
 * @template {HasuraEvent|Invocation} R
 * @param {R} first
 * @param {(postId: number) => void} onlyPost
 * @param {(row: R) => Record<string, unknown>} parts
 */
function item(first, onlyPost, parts) {
  let row = first;
  const { post_id } = first;
  const body = h("div", { class: "row-body" });
  const details = h(
    "details",
    { on: { toggle: fill } },
    h(
      "summary",
      null,
      h("span", { class: "row-line" }, h("span", { class: "chip" }), " ", h("time", { class: "number small soft" })),
      h("span", { class: "row-name" }, `${row.name} `, h("span", { class: "row-kind small soft" }, KINDS[row.kind])),
      h("span", { class: "row-summary small soft" }),
    ),
    body,
  );
  const only =
    post_id !== null && h("button", { class: "button quiet", type: "button" }, `Only events of post ${post_id}`);
  if (only) only.addEventListener("click", () => onlyPost(post_id));
  const created = h("li", { class: "row" }, details);
  detailsOf.set(created, (changed) => {
    row = changed;
    fill();
  });
  return created;

  function fill() {
    if (!details.open) return;
    const shown = Object.entries(parts(row));
    if (!body.firstChild) body.append(...(only ? [only] : []), ...shown.map(([title]) => part(title)));
    const texts = body.querySelectorAll("pre");
    shown.forEach(([, value], index) => {
      setText(texts[index], JSON.stringify(value, null, 2));
    });
  }
}

/** @param {string} title */
function part(title) {
  return h("div", null, h("h5", null, title), h("pre", null));
}

/**
 * @param {HTMLElement} item
 * @param {string} status
 * @param {string} tone
 * @param {string} at
 * @param {string} summary
 */
function showSummary(item, status, tone, at, summary) {
  const [chip, time, text] = [".chip", "time", ".row-summary"].map((selector) => item.querySelector(selector));
  if (!chip || !time || !text) return;
  setText(chip, status);
  setAttribute(chip, "class", `chip ${tone}`);
  setAttribute(time, "datetime", at);
  setText(time, dayKey(at) === dayKey(now()) ? timeToTheMillisecond(at) : dayAndTime(at));
  setText(text, summary);
}

/** @param {HasuraEvent} event */
function progress({ status, tries, delivery_at }) {
  const delivered = tries ? `${tries} ${tries === 1 ? "delivery" : "deliveries"}` : "";
  if (status === "locked") return [delivered, "being delivered"].filter(Boolean).join(", ");
  if (status !== "scheduled") return delivered || "never delivered";
  const isToCome = instant(delivery_at).getTime() > now();
  return [delivered, isToCome ? `next ${distance(delivery_at)}` : "due now"].filter(Boolean).join(", ");
}

/** @param {number|null} status */
function toneOf(status) {
  if (status === null) return "bad";
  if (status < 300) return "good";
  return status === 503 ? "wait" : "bad"; // with 503 the webhook asks for another delivery
}

/**
 * The result of postTweet: from the body of a success or the message of a failure; other text as it is.
 * @param {{body?: unknown, message?: unknown}} [data]
 */
function responseInWords(data) {
  const content = data?.body ?? data?.message;
  if (typeof content !== "object" || content === null) return String(content ?? "");
  const { state, reason, claimed, detail, message } = /** @type {Record<string, any>} */ (content);
  if (state) return [state, reason].filter(Boolean).join(": ");
  if (claimed) return claimedInWords(claimed);
  return String(reason ?? detail ?? message ?? "");
}

/** @param {Record<string, number>} counts */
function claimedInWords(counts) {
  const results = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  return results.length ? `what was due: ${results.join(", ")}` : NOTHING_DUE;
}
