// Fault injection: the next calls of X fail as chosen, or Hasura delivers the next event twice or not at all.

import { h, keyed, setText } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import { posts } from "../posts/posts.js";

/** @import { request } from "../lib/http.js" */

/**
 * As the local X sends them: a kind of fault, whose `ms` is null when it takes no time; and a fault that X still has.
 * @typedef {{kind: string, sort: string, words: string, ms: number|null}} FaultKind
 * @typedef {{kind: string, times: number, username?: string, ms?: number}} Fault
 */

const FIRST_CHOICE = "timeout_after";
const DEFAULT_SECONDS = 5; // short enough to wait for
const X_FAULT_SET = "The fault is set. Now schedule a post a few seconds from now, and see what happens.";
const X_FAULTS_REMOVED =
  "All faults of X are removed. A post that waits for a rate limit is published when the limit ends.";
const HASURA_FAULTS = {
  duplicate_next: {
    label: "Deliver the next scheduled event twice",
    done: "The next scheduled event is delivered twice at the same moment. Its post is published once.",
  },
  drop_next: {
    label: "Do not deliver the next scheduled event",
    done:
      "The next scheduled event is not delivered, as if Hasura had crashed with the event locked." +
      " The cron trigger publishes its post within a minute.",
  },
};

/**
 * @param {(path: string, options?: Parameters<typeof request>[1]) => Promise<any>} send Sends to the page's server.
 * @param {() => void} onChange Called when a fault was set or removed.
 * @returns {{element: HTMLElement, load: (signal: AbortSignal) => Promise<void>}} `load` requests the faults that X
 *   still has, and shows them.
 */
export function faultInjection(send, onChange) {
  /** @type {Map<string, string>} */
  const descriptions = new Map();
  const form = faultForm((body) => change("fail", { body }, X_FAULT_SET));
  const nothing = h("p", { class: "small soft" }, "X has no faults.");
  const list = h("ul", { class: "faults" });
  const removeAll = button("Remove all faults", removeFaults);
  const status = h("p", { class: "small", role: "status" });
  removeAll.hidden = true;

  /** @param {AbortSignal} signal */
  async function load(signal) {
    const [faults] = await Promise.all([send("fail", { signal }), loadKinds()]);
    if (!signal.aborted) showFaults(faults);
  }

  async function loadKinds() {
    if (descriptions.size) return;
    /** @type {FaultKind[]} */
    const kinds = await send("kinds");
    for (const { kind, words } of kinds) descriptions.set(kind, words);
    form.offer(kinds);
  }

  async function removeFaults() {
    await change("fail", { method: "DELETE" }, X_FAULTS_REMOVED);
    form.focus(); // the button that had it is hidden now
  }

  /**
   * @param {string} path
   * @param {Parameters<typeof request>[1]} options
   * @param {string} done
   */
  async function change(path, options, done) {
    try {
      await send(path, options);
      setText(status, done);
      onChange();
    } catch (error) {
      setText(status, messageOf(error));
    }
  }

  /** @param {Fault[]} faults */
  function showFaults(faults) {
    nothing.hidden = faults.length > 0;
    removeAll.hidden = !faults.length;
    keyed(
      list,
      faults.map((fault, index) => ({ fault, index })),
      ({ index }) => index,
      () => h("li", { class: "chip wait" }),
      (item, { fault }) => setText(item, inWords(fault)),
    );
  }

  /** @param {Fault} fault */
  function inWords({ kind, times, username }) {
    const often = times === 1 ? "once" : `${times} times`;
    return [capitalised(descriptions.get(kind) ?? kind), often, username ? `@${username}` : "everyone"].join(" · ");
  }

  const hasuraButtons = Object.entries(HASURA_FAULTS).map(([path, { label, done }]) =>
    button(label, () => change(path, { body: {} }, done)),
  );
  const element = h(
    "section",
    { class: "card fault-injection", "aria-labelledby": "fault-injection-title" },
    h("h3", { id: "fault-injection-title" }, "Fault injection"),
    h(
      "p",
      { class: "small soft" },
      "The next calls of X fail as you choose. “Accepted” means that X has the post, but the caller is not told.",
    ),
    form.element,
    h("div", { class: "pending-faults" }, h("h4", null, "Faults to come"), nothing, list, removeAll),
    h("div", { class: "hasura-faults", role: "group", "aria-label": "Faults of Hasura" }, ...hasuraButtons),
    status,
  );
  return { element, load };
}

/**
 * The form of a fault of X: what, how often, for whom. `offer` takes the kinds of faults that X knows.
 * @param {(fault: Fault) => void} onSubmit
 */
function faultForm(onSubmit) {
  /** @type {Set<string>} */
  let timed = new Set();
  const kind = h("select", { id: "fault-kind", required: true, on: { input: showDuration } });
  const duration = numberInput("fault-duration", { min: 0, max: 86_400, step: "any", value: DEFAULT_SECONDS });
  const durationLabel = h("label", { for: duration.id });
  const durationField = h("div", { class: "field" }, durationLabel, duration);
  const times = numberInput("fault-times", { min: 1, max: 1_000, step: 1, value: 1 });
  const everyone = h("option", { value: "" }, "Everyone");
  const username = h("select", { id: "fault-username" }, everyone);
  const element = h(
    "form",
    { class: "fault-form", "aria-label": "Fault of X", on: { submit } },
    field("What happens", kind),
    durationField,
    field("How often", times),
    field("For whom", username),
    h("button", { class: "button primary" }, "Set fault"),
  );
  posts.addEventListener("change", offerAccounts);
  offerAccounts();

  /** @param {FaultKind[]} kinds */
  function offer(kinds) {
    timed = new Set(kinds.filter(({ ms }) => ms !== null).map((each) => each.kind));
    const groups = Map.groupBy(kinds, ({ sort }) => sort);
    kind.replaceChildren(...[...groups].map(([label, group]) => h("optgroup", { label }, ...group.map(optionOf))));
    kind.value = FIRST_CHOICE;
    showDuration();
  }

  function showDuration() {
    durationField.hidden = !timed.has(kind.value);
    duration.disabled = durationField.hidden;
    setText(durationLabel, kind.value.startsWith("429") ? "Seconds it lasts" : "Seconds it takes");
  }

  function offerAccounts() {
    const names = posts.accounts.map(({ account_name }) => account_name);
    const offered = [...username.options].slice(1).map(({ value }) => value);
    if (names.join() === offered.join()) return;
    const chosen = username.value;
    username.replaceChildren(everyone, ...names.map((name) => h("option", { value: name }, `@${name}`)));
    username.value = names.includes(chosen) ? chosen : "";
  }

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    onSubmit({
      kind: kind.value,
      times: times.valueAsNumber,
      ...(username.value && { username: username.value }),
      ...(!duration.disabled && { ms: Math.round(duration.valueAsNumber * 1_000) }),
    });
  }

  return { element, offer, focus: () => kind.focus() };
}

/** @param {FaultKind} kind */
function optionOf({ kind, words }) {
  return h("option", { value: kind }, capitalised(words));
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 */
function field(label, control) {
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

/**
 * @param {string} id
 * @param {Record<string, string|number>} attributes
 */
function numberInput(id, attributes) {
  return h("input", { id, type: "number", required: true, ...attributes });
}

/**
 * @param {string} label
 * @param {() => void} click
 */
function button(label, click) {
  return h("button", { class: "button quiet", type: "button", on: { click } }, label);
}

/**
 * "Accepted, then no answer"
 * @param {string} words
 */
function capitalised(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
