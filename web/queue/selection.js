// Selecting many posts, to delete them, or to move them by the same length of time.

import { h, setAttribute, setText } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import { addDays, instant } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { move, remove } from "../posts/actions.js";
import { actionsOf, goesOutWithin } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { GRACE, waitingActions } from "../posts/undo.js";

/** @import { Post } from "../posts/posts.js" */

const MINUTE = 60_000;
const STEPS = [
  ["15 minutes later", 15],
  ["1 hour later", 60],
  ["1 day later", 24 * 60],
  ["1 week later", 7 * 24 * 60],
  ["1 hour earlier", -60],
  ["1 day earlier", -24 * 60],
].map(([name, minutes]) => ({ name: String(name), minutes: Number(minutes) }));

/**
 * @param {() => void} onChange Called when other posts are selected.
 */
export function selection(onChange) {
  /** @type {Set<number>} */
  const ids = new Set();
  let isOn = false;
  const toggle = h("button", { type: "button", class: "button quiet", on: { click: () => turn(!isOn) } }, "Select");
  const count = h("span", { class: "number", role: "status" });
  const by = h("select", { "aria-label": "Move by" }, ...STEPS.map(({ name }, at) => h("option", { value: at }, name)));
  by.value = "1";
  const moveButton = h("button", { type: "button", class: "button quiet", on: { click: moveAll } }, "Move selected");
  const removeButton = h(
    "button",
    { type: "button", class: "button quiet danger", on: { click: removeAll } },
    "Delete selected",
  );
  const bar = h("div", { class: "selection-bar", hidden: true }, count, by, moveButton, removeButton);

  /** @param {boolean} value */
  function turn(value) {
    isOn = value;
    ids.clear();
    bar.hidden = !isOn;
    setAttribute(toggle, "aria-pressed", isOn);
    refresh();
    onChange();
  }

  /**
   * @param {number} id
   * @param {boolean} isSelected
   */
  function select(id, isSelected) {
    if (isSelected) ids.add(id);
    else ids.delete(id);
    refresh();
    onChange();
  }

  function refresh() {
    for (const id of ids) if (!posts.get(id)) ids.delete(id);
    setText(count, `${ids.size} selected`);
    for (const button of [moveButton, removeButton]) setAttribute(button, "aria-disabled", ids.size === 0);
  }

  /** @param {"move"|"remove"} action */
  function takeSelected(action) {
    const selected = [...ids].map((id) => posts.get(id)).filter((post) => post !== undefined);
    return selected.filter((post) => actionsOf(post).has(action));
  }

  function removeAll() {
    const selected = takeSelected("remove");
    if (!selected.length) return;
    waitingActions.start({
      ids: selected.map(({ id }) => id),
      kind: "remove",
      message: `Deleted ${inWords(selected)}.`,
      act: remove,
    });
    const urgent = selected.find((post) => goesOutWithin(post, 2 * GRACE));
    if (urgent) waitingActions.complete(urgent.id); // later it would be out
    turn(false);
  }

  async function moveAll() {
    const selected = takeSelected("move").filter(({ schedule_for }) => schedule_for);
    if (!selected.length) return;
    const { name, minutes } = STEPS[Number(by.value)];
    turn(false);
    const moved = await moveEach(selected, ({ schedule_for }) => shifted(schedule_for, minutes));
    if (!moved.length) return;
    showToast(`Moved ${inWords(moved)}: ${name}.`, {
      action: { name: "Undo", act: () => moveEach(moved, ({ schedule_for }) => instant(schedule_for)) },
    });
  }

  return { toggle, bar, turn, select, refresh, isOn: () => isOn, has: (/** @type {number} */ id) => ids.has(id) };
}

/**
 * Moves posts one after the other; the first refusal ends it and is shown.
 * @param {Post[]} those
 * @param {(post: Post) => Date} time
 * @returns {Promise<Post[]>} Those that were moved, as they were before.
 */
async function moveEach(those, time) {
  const moved = [];
  try {
    for (const post of those) {
      await move(post.id, time(post));
      moved.push(post);
    }
  } catch (error) {
    showToast(`${moved.length} of ${those.length} moved. ${messageOf(error)}`, { tone: "bad" });
  }
  return moved;
}

/**
 * Days and weeks later it is the same time of day, also when the clocks change between.
 * @param {string} time
 * @param {number} minutes
 */
function shifted(time, minutes) {
  const days = minutes / (24 * 60);
  const date = instant(time);
  return Number.isInteger(days) ? addDays(date, days) : new Date(date.getTime() + minutes * MINUTE);
}

/** @param {Post[]} those */
function inWords(those) {
  return those.length === 1 ? "1 post" : `${those.length} posts`;
}
