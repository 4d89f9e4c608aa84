// The inside of the local stack: Hasura's events and invocation logs as its console shows them, and switches that make
// X and Hasura fail. The page's own server asks both; it holds the admin secret, which never comes here.

import { h, setText } from "./dom.js";
import { eventFilter } from "./event_filter.js";
import { eventPanel } from "./event_panel.js";
import { eventRow, invocationRow, refreshEventRow } from "./event_rows.js";
import { failureSwitches } from "./failure_switches.js";
import { request } from "./http.js";
import { watching } from "./watching.js";

/**
 * Shows the machine room in `root`.
 * @param {Element} root
 * @param {{machineRoom: string}} config
 * @returns {{show: () => void, hide: () => void}} Looks for events between `show` and `hide` alone.
 */
export function machineRoom(root, config) {
  const ask = (path, asking) => request(config.machineRoom + path, asking);
  const watch = watching(look, tellWhetherAway);
  const filter = eventFilter(lookForOthers);
  const { pending, processed, logs } = panels(filter.onlyPost, watch.lookNow);
  const switches = failureSwitches(ask, watch.lookNow);
  const away = h("p", { class: "notice wait", role: "status", hidden: true });
  root.append(
    header(),
    away,
    switches.element,
    filter.element,
    h("div", { class: "panels" }, pending.element, processed.element, logs.element),
  );
  return watch;

  async function look(signal) {
    const eventLimit = Math.max(pending.limit, processed.limit);
    const [events, invocations, failures] = await Promise.all([
      ask(`events?${filter.query(eventLimit)}`, { signal }),
      ask(`invocations?${filter.query(logs.limit)}`, { signal }),
      ask("fail", { signal }),
      switches.load(),
    ]);
    if (signal.aborted) return;
    pending.fill(events.pending);
    processed.fill(events.processed);
    logs.fill(invocations);
    switches.showComing(failures);
  }

  function lookForOthers() {
    for (const panel of [pending, processed, logs]) panel.turn();
    watch.lookNow();
  }

  function tellWhetherAway(error) {
    away.hidden = !error;
    if (error) setText(away, `${error.message} It is asked again; what you see may be old.`);
  }
}

function header() {
  return h(
    "header",
    { class: "view-header" },
    h("h2", {}, "Machine room"),
    h(
      "p",
      { class: "soft" },
      "What goes on between Hasura, the functions and X, as it happens. ",
      "Make X fail, schedule a post in a few seconds, and watch how it comes out right.",
    ),
  );
}

function panels(onlyPost, onMore) {
  const events = { create: (event) => eventRow(event, onlyPost), refresh: refreshEventRow, onMore };
  return {
    pending: eventPanel({
      title: "Pending events",
      words: "What Hasura will still ring for, the soonest on top: the alarms of posts, and moves to be told.",
      empty: "Nothing is pending.",
      unsearched: "Searched among the next 1,000 alone.",
      ...events,
    }),
    processed: eventPanel({
      title: "Processed events",
      words: "What Hasura will not ring for again, the latest on top: delivered, given up, or too late.",
      empty: "Nothing was processed yet.",
      unsearched: "Searched among the latest 1,000 alone.",
      ...events,
    }),
    logs: eventPanel({
      title: "Invocation logs",
      words: "Each ring, the latest on top: what Hasura sent to postTweet, and what postTweet answered.",
      empty: "Nothing has rung yet.",
      unsearched: "Searched among the latest 1,000 alone.",
      create: (invocation) => invocationRow(invocation, onlyPost),
      onMore,
    }),
  };
}
