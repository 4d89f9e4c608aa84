// What an author chooses: posting times, how times are shown, the account of new posts; and what the limits are.

import { h, keyed, setAttribute, setText, showMessage } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import { areShortcutsOn, switchShortcuts } from "../lib/shortcuts.js";
import { dateFormat, now, timeToTheMinute } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { deviceZone, instantAt, zone } from "../lib/zone.js";
import { addSlot, removeSlot, setPreferences } from "../posts/actions.js";
import { listOf, untilWhen } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { areNotificationsOn, canNotify, switchNotifications } from "./notifications.js";

/** @import { Preferences } from "../posts/actions.js" */
/** @import { Slot } from "../posts/posts.js" */

const A_MONDAY = Date.UTC(2024, 0, 1);
const DAY = 24 * 60 * 60_000;
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
const SATURDAY = 6;

/**
 * Makes the settings in `root`, which follow the author's row by themselves.
 * @param {HTMLElement} root
 */
export function settings(root) {
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const slots = slotSettings(attempt);
  const preferences = preferenceSettings(attempt);
  const accounts = accountList();
  const limits = limitList();
  const browser = browserSettings();
  root.append(
    h("header", { class: "view-header" }, h("h2", null, "Settings")),
    failure,
    slots.element,
    preferences.element,
    accounts.element,
    limits.element,
    browser.element,
  );
  posts.addEventListener("change", refresh);
  let isShown = false;

  function refresh() {
    if (!isShown) return;
    for (const part of [slots, preferences, accounts, limits, browser]) part.refresh();
  }

  /** @type {Promise<unknown>} */
  let latest = Promise.resolve();

  /**
   * One after the other: what is added is in the zone that was chosen before.
   * @param {() => Promise<unknown>} request
   */
  function attempt(request) {
    latest = latest.then(() => send(request));
    return latest;
  }

  /** @param {() => Promise<unknown>} request */
  async function send(request) {
    showMessage(failure, "");
    try {
      await request();
    } catch (error) {
      showMessage(failure, messageOf(error));
      failure.scrollIntoView({ block: "nearest" });
      refresh();
    }
  }

  return {
    show() {
      isShown = true;
      refresh();
    },
    hide() {
      isShown = false;
      showMessage(failure, "");
    },
  };
}

/**
 * The author's posting times, day by day.
 * @param {(request: () => Promise<unknown>) => Promise<unknown>} attempt
 */
function slotSettings(attempt) {
  const list = h("ul", { class: "slot-days" });
  const nothing = h(
    "p",
    { class: "soft", hidden: true },
    "None yet. With posting times, a new post takes the next free one.",
  );
  const days = h(
    "select",
    { id: "slot-days" },
    h("option", { value: "1-5" }, "Monday to Friday"),
    h("option", { value: "1-7" }, "Every day"),
    ...WEEKDAYS.map((day) => h("option", { value: `${day}-${day}` }, weekdayName(day))),
  );
  const at = h("input", { id: "slot-at", type: "time", required: true, value: "09:00" });
  const form = h(
    "form",
    { class: "inline-fields", "aria-label": "New posting time", on: { submit: add } },
    field("Days", days),
    field("Time", at),
    h("button", { class: "button primary" }, "Add"),
  );
  const element = card(
    "Posting times",
    "A new post takes the next free one of these times. Each is in the zone that was chosen below when it was added.",
    nothing,
    list,
    form,
  );

  /** @param {SubmitEvent} event */
  async function add(event) {
    event.preventDefault();
    const [first, last] = days.value.split("-").map(Number);
    const time = at.value;
    await attempt(async () => {
      const own = posts.slots.filter((slot) => slot.account_id === null && slot.time_zone === zone());
      const known = new Set(own.map((slot) => `${slot.weekday} ${slot.at.slice(0, 5)}`));
      const wanted = WEEKDAYS.filter((day) => day >= first && day <= last && !known.has(`${day} ${time}`));
      if (!wanted.length) showToast("These times are there already.");
      for (const weekday of wanted) await addSlot({ weekday, at: time, time_zone: zone(), account_id: null });
    });
  }

  function refresh() {
    nothing.hidden = posts.slots.length > 0;
    const byDay = Map.groupBy(posts.slots, ({ weekday }) => weekday);
    keyed(
      list,
      WEEKDAYS.filter((day) => byDay.has(day)),
      (day) => day,
      (day) => h("li", null, h("strong", null, weekdayName(day)), h("div", { class: "slots" })),
      (item, day) => showSlots(item, byDay.get(day) ?? []),
    );
  }

  /**
   * @param {HTMLElement} item
   * @param {Slot[]} those
   */
  function showSlots(item, those) {
    keyed(/** @type {Element} */ (item.lastElementChild), those, ({ id }) => id, slotButton, showSlot);
  }

  /** @param {Slot} slot */
  function slotButton({ id }) {
    return h(
      "button",
      { type: "button", class: "button slot", on: { click: () => attempt(() => removeSlot(id)) } },
      h("span"),
      h("span", { "aria-hidden": "true" }, " ×"),
    );
  }

  /**
   * In the author's zone and hours, who may change both.
   * @param {HTMLElement} button
   * @param {Slot} slot
   */
  function showSlot(button, { weekday, at: time, time_zone }) {
    const words = time_zone === zone() ? clock(time) : `${clock(time)}, ${time_zone}`;
    setText(/** @type {Node} */ (button.firstChild), words);
    setAttribute(button, "aria-label", `Remove ${weekdayName(weekday)} ${words}`);
  }

  return { element, refresh };
}

/** @param {(request: () => Promise<unknown>) => Promise<unknown>} attempt */
function preferenceSettings(attempt) {
  const hours = choice("hour-cycle", [
    ["", "As this browser has them"],
    ["h23", "24 hours: 17:30"],
    ["h12", "12 hours: 5:30 PM"],
  ]);
  const week = choice("week-start", [
    ["", "As this browser has it"],
    ...[1, SATURDAY, 7].map((day) => /** @type {[string, string]} */ ([String(day), weekdayName(day)])),
  ]);
  const timeZone = choice("time-zone", [
    ["", `As this device: ${deviceZone}`],
    ...Intl.supportedValuesOf("timeZone").map((name) => /** @type {[string, string]} */ ([name, name])),
  ]);
  const account = choice("default-account", []);
  const accountField = field("New posts go out from", account);
  const element = card(
    "Times",
    "All times of this page are shown in this zone. Each post keeps its instant.",
    h(
      "div",
      { class: "inline-fields" },
      field("Time zone", timeZone),
      field("Times of day", hours),
      field("A week begins on", week),
      accountField,
    ),
  );
  /** @type {[HTMLSelectElement, () => Partial<Preferences>][]} Each with the columns that it stands for. */
  const controls = [
    [timeZone, () => ({ time_zone: timeZone.value || null })],
    [hours, () => ({ hour_cycle: /** @type {"h12"|"h23"|null} */ (hours.value || null) })],
    [week, () => ({ week_starts_on: Number(week.value) || null })],
    [account, () => ({ default_account_id: Number(account.value) || null })],
  ];
  for (const [control, chosen] of controls) control.addEventListener("input", () => attempt(() => save(chosen())));

  /** @param {Partial<Preferences>} changes */
  async function save(changes) {
    await posts.loaded();
    const { author, reason } = posts;
    if (!author) throw new Error(`This was not saved. ${reason}`);
    await setPreferences(author.id, changes);
  }

  function refresh() {
    const { author } = posts;
    accountField.hidden = posts.accounts.length < 2;
    keyed(
      account,
      [{ id: 0, account_name: "" }, ...posts.accounts],
      ({ id }) => id,
      ({ id, account_name }) =>
        h("option", { value: id || "" }, account_name ? `@${account_name}` : "Choose each time"),
    );
    if (!author || element.contains(document.activeElement)) return;
    showZone(author.time_zone ?? "");
    hours.value = author.hour_cycle ?? "";
    week.value = String(author.week_starts_on ?? "");
    account.value = String(author.default_account_id ?? "");
  }

  /** @param {string} name Of which the browser may have another one. */
  function showZone(name) {
    timeZone.value = name;
    if (timeZone.value === name) return;
    timeZone.append(h("option", { value: name }, name));
    timeZone.value = name;
  }

  return { element, refresh };
}

function accountList() {
  const list = h("ul", { class: "plain-list" });
  const element = card(
    "Linked to you",
    "From these accounts on X you may post. The operator links an account to you (“make link-account”); it appears here at once.",
    list,
  );

  function refresh() {
    keyed(
      list,
      posts.accounts,
      ({ id }) => id,
      () => h("li"),
      (item, { account_name, paused_until, paused_reason }) => {
        const isPaused = paused_until !== null && Date.parse(paused_until) > now();
        const pause = isPaused ? `: paused${untilWhen(paused_until)}. ${paused_reason ?? ""}` : "";
        setText(item, `@${account_name}${pause}`);
      },
    );
  }

  return { element, refresh };
}

function limitList() {
  const list = h("ul", { class: "plain-list" });
  const element = card("Limits", "The operator sets them.", list);

  function refresh() {
    const { app } = posts;
    if (!app) return;
    const pending = posts.all().filter((post) => listOf(post) === "pending").length;
    const lines = [
      `${pending} of ${app.max_pending} pending posts`,
      `${posts.drafts().length} of ${app.max_drafts} drafts`,
      `at most ${app.max_posts_a_day} ${app.max_posts_a_day === 1 ? "post" : "posts"} a day from an account`,
    ];
    keyed(
      list,
      lines.map((line, index) => ({ line, index })),
      ({ index }) => index,
      () => h("li", { class: "number" }),
      (item, { line }) => setText(item, line),
    );
  }

  return { element, refresh };
}

/** What is chosen for this browser alone. */
function browserSettings() {
  const shortcuts = check("Shortcuts of one key (press ? to see them)", areShortcutsOn(), switchShortcuts);
  const notifications = check("Notify me when a post fails", areNotificationsOn(), async (isOn) => {
    notifications.input.checked = await switchNotifications(isOn);
  });
  setAttribute(notifications.element, "hidden", canNotify() ? null : "");
  const element = card("This browser", "", shortcuts.element, notifications.element);

  function refresh() {
    notifications.input.checked = areNotificationsOn(); // the browser may have switched them off
  }

  return { element, refresh };
}

/**
 * @param {string} title
 * @param {string} description
 * @param {...HTMLElement} content
 */
function card(title, description, ...content) {
  const id = `settings-${title.toLowerCase().replaceAll(" ", "-")}`;
  return h(
    "section",
    { class: "card settings-card", "aria-labelledby": id },
    h("h3", { id }, title),
    description && h("p", { class: "soft small" }, description),
    ...content,
  );
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
 * @param {[string, string][]} choices
 */
function choice(id, choices) {
  return h("select", { id }, ...choices.map(([value, name]) => h("option", { value }, name)));
}

/**
 * @param {string} label
 * @param {boolean} isChecked
 * @param {(isChecked: boolean) => void} onChange
 */
function check(label, isChecked, onChange) {
  const input = h("input", { type: "checkbox", on: { input: () => onChange(input.checked) } });
  input.checked = isChecked;
  return { input, element: h("label", { class: "choice" }, input, label) };
}

/** @param {number} day 1 is Monday. */
function weekdayName(day) {
  return dateFormat({ weekday: "long", timeZone: "UTC" }).format(A_MONDAY + (day - 1) * DAY);
}

/** @param {string} time "09:30:00" */
function clock(time) {
  const [hours, minutes] = time.split(":").map(Number);
  return timeToTheMinute(instantAt(Date.UTC(2024, 0, 1, hours, minutes)));
}
