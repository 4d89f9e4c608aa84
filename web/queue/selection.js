// Selecting many posts, to delete them, or to move them by the same length of time.

import { h, setAttribute, setText } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import { addDays, instant, now } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { move } from "../posts/actions.js";
import { removeLater } from "../posts/deletion.js";
import { actionsOf, canBeMovedBack } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { waitingActions } from "../posts/undo.js";

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
 * @param {(post: Post) => boolean} isShown Whether a post can be seen: no other stays selected.
 * @param {() => void} onTurn Called when the author begins or ends to select.
 */
export function selection(isShown, onTurn) {
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
    onTurn();
  }

  /**
   * @param {number} id
   * @param {boolean} isSelected
   */
  function select(id, isSelected) {
    if (isSelected) ids.add(id);
    else ids.delete(id);
    refresh();
  }

  function refresh() {
    for (const id of ids) {
      const post = posts.get(id);
      if (!post || !isShown(post)) ids.delete(id);
    }
    setText(count, `${ids.size} selected`);
    setAttribute(moveButton, "aria-disabled", !selectedFor("move").length);
    setAttribute(removeButton, "aria-disabled", !selectedFor("remove").length);
  }

  /**
   * Those of which this can be done now.
   * @param {"move"|"remove"} action
   */
  function selectedFor(action) {
    const selected = [...ids].map((id) => posts.get(id)).filter((post) => post !== undefined);
    return selected.filter((post) => actionsOf(post).has(action) && !waitingActions.kindOf(post.id));
  }

  function removeAll() {
    const selected = selectedFor("remove");
    if (!selected.length) return;
    removeLater(selected, (those) => `Deleted ${inWords(those)}.`);
    turn(false);
  }

  async function moveAll() {
    const selected = selectedFor("move");
    if (!selected.length) return;
    const { name, minutes } = STEPS[Number(by.value)];
    /** @param {Post} post */
    const target = ({ schedule_for }) => shifted(schedule_for, minutes);
    const past = selected.filter((post) => target(post).getTime() < now());
    if (past.length) {
      const message = `${name}, ${inWords(past)} would go out at once or count as missed. Nothing was moved.`;
      showToast(message, { tone: "bad" });
      return;
    }
    turn(false);
    offerUndo(await moveEach(selected, target), name);
  }

  return { toggle, bar, turn, select, refresh, isOn: () => isOn, has: (/** @type {number} */ id) => ids.has(id) };
}

/**
 * @param {Post[]} moved As they were before.
 * @param {string} name Of the step by which they were moved.
 */
function offerUndo(moved, name) {
  if (!moved.length) return;
  const back = moved.filter(canBeMovedBack);
  const undo = () => moveEach(back, ({ schedule_for }) => instant(schedule_for));
  const restriction = back.length && back.length < moved.length ? ` Undo moves ${inWords(back)} back.` : "";
  const action = back.length ? { name: "Undo", act: undo } : undefined;
  showToast(`Moved ${inWords(moved)}: ${name}.${restriction}`, { action });
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
