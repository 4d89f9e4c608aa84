// Keys, a mouse, a pen or a finger move posts in the calendar. A finger scrolls, until it has held a post for a moment.

import { addDays, now } from "../lib/times.js";

/** @import { Kind } from "./bar.js" */
/** @import { Moving } from "./moving.js" */

/**
 * A view of days, which knows the time of each place in it. A point is a place of the pointer, in pixels: `x` of the
 * window, `y` of the table, which scrolls under the pointer.
 * @typedef {{x: number, y: number}} Point
 * @typedef {object} DayTable
 * @property {(event: PointerEvent) => Point} pointAt
 * @property {(original: Date, from: Point, to: Point) => Date|null} target The time of a post that was picked up at
 *   `from`, when the pointer is at `to`.
 * @property {(event: PointerEvent) => boolean} scrollAtEdge Scrolls while the pointer is at an edge. Returns whether it
 *   did.
 * @property {(event: MouseEvent) => Date|null} timeAt The time of an empty place that was clicked.
 * @property {(event: PointerEvent) => -1|0|1} side At which side of the days the pointer is.
 */

const DRAG_PIXELS = 5;
const TURN_MILLISECONDS = 700;
const HOLD_MILLISECONDS = 400; // less than until the browser opens a menu
const HALF_HOUR = 30 * 60_000;

/** @type {Record<Kind, Record<string, (time: Date) => Date>>} */
const STEPS = {
  week: {
    ArrowLeft: (time) => addDays(time, -1),
    ArrowRight: (time) => addDays(time, 1),
    ArrowUp: (time) => new Date(time.getTime() - HALF_HOUR),
    ArrowDown: (time) => new Date(time.getTime() + HALF_HOUR),
  },
  month: {
    ArrowLeft: (time) => addDays(time, -1),
    ArrowRight: (time) => addDays(time, 1),
    ArrowUp: (time) => addDays(time, -7),
    ArrowDown: (time) => addDays(time, 7),
  },
};

/**
 * @param {HTMLElement} area Where the posts' buttons are, now and later.
 * @param {Moving} move
 * @param {object} calendar
 * @param {() => Kind} calendar.kind
 * @param {() => DayTable} calendar.table The view that is shown.
 * @param {(id: number, button: HTMLElement) => void} calendar.showCard Shows more about a post.
 * @param {(time: Date) => void} calendar.write Begins a post at a time.
 * @param {(direction: -1|1) => void} calendar.turn Shows the days before or after.
 * @param {(id: number) => void} calendar.open Leaves for the post in the list.
 * @param {() => boolean} calendar.isRendering Whether the focus is lost only for a moment.
 */
export function listenToInput(area, move, { kind, table, showCard, write, turn, open, isRendering }) {
  /** @type {{id: number, pointerId: number, first: PointerEvent, last: PointerEvent, from: Point, time: Date|null}|null}
   * The post under the pressed pointer; `time` is its own once it is dragged. */
  let pressed = null;

  let heldSince = 0;
  let hold = 0;

  area.addEventListener("click", (event) => {
    const button = buttonAt(event);
    if (!button) {
      const time = table().timeAt(event);
      if (time && time.getTime() > now()) write(time);
      return;
    }
    if (event.detail > 0) showCard(idOf(button), button);
    else if (move.dragged()) move.drop();
    else move.pickUp(idOf(button));
  });
  area.addEventListener("dblclick", (event) => {
    const button = buttonAt(event);
    if (button) open(idOf(button));
  });
  area.addEventListener("keydown", (event) => {
    const button = buttonAt(event);
    if (event.key === "Enter" && event.shiftKey && button) {
      event.preventDefault();
      open(idOf(button));
    } else if (event.repeat && ["Enter", " "].includes(event.key)) {
      event.preventDefault(); // a key that stays down must not drop what it has just picked up
    } else if (move.dragged()) {
      takeKey(event);
    }
  });
  area.addEventListener("focusout", () => {
    if (move.dragged() && !pressed && !isRendering() && !document.querySelector("dialog[open]")) move.end();
  });
  area.addEventListener("pointerdown", (event) => {
    const button = buttonAt(event);
    if (event.button !== 0 || !button || move.dragged()) return;
    clearTimeout(hold);
    const { pointerId } = event;
    pressed = { id: idOf(button), pointerId, first: event, last: event, from: table().pointAt(event), time: null };
    if (isTouch(event)) hold = setTimeout(pickUp, HOLD_MILLISECONDS, "Let go to drop it.");
  });
  area.addEventListener("pointermove", (event) => {
    if (pressed?.pointerId === event.pointerId) drag(event);
  });
  area.addEventListener("pointerup", (event) => release(() => move.drop(), event));
  area.addEventListener("pointercancel", (event) => release(() => move.cancel(), event));
  for (const type of ["touchmove", "contextmenu"]) area.addEventListener(type, keepTheFinger, { passive: false });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && pressed?.time) release(() => move.cancel());
  });

  /** @param {KeyboardEvent} event */
  function takeKey(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      move.cancel();
    }
    const step = STEPS[kind()][event.key];
    const dragged = move.dragged();
    if (!step || !dragged) return;
    event.preventDefault();
    move.dragTo(step(dragged.time));
    if (event.target instanceof Element) event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    if (!pressed) return;
    pressed.last = event;
    if (!pressed.time) {
      const { first } = pressed;
      if (Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY) < DRAG_PIXELS) return;
      if (isTouch(event)) clearTimeout(hold);
      else pickUp("Escape cancels.");
    }
    follow();
  }

  /** @param {string} help */
  function pickUp(help) {
    if (!pressed) return;
    if (!move.pickUp(pressed.id, help)) {
      pressed = null;
      return;
    }
    pressed.time = move.dragged()?.time ?? null;
    area.setPointerCapture(pressed.pointerId); // of the area: the post's button changes from day to day
    requestAnimationFrame(scroll);
  }

  /**
   * The finger that drags a post neither scrolls nor opens the browser's menu.
   * @param {Event} event
   */
  function keepTheFinger(event) {
    if (pressed?.time && event.cancelable) event.preventDefault();
  }

  function follow() {
    if (!pressed?.time || !move.dragged()) return;
    const time = table().target(pressed.time, pressed.from, table().pointAt(pressed.last));
    if (time) move.dragTo(time);
  }

  function scroll() {
    if (!pressed?.time) return;
    if (table().scrollAtEdge(pressed.last)) follow();
    turnAtSide(pressed.last);
    requestAnimationFrame(scroll);
  }

  /**
   * Whoever holds a post at a side for a while means the days beyond it.
   * @param {PointerEvent} event
   */
  function turnAtSide(event) {
    const side = table().side(event);
    if (side === 0) heldSince = 0;
    else if (!heldSince) heldSince = performance.now();
    else if (performance.now() - heldSince > TURN_MILLISECONDS) {
      heldSince = performance.now();
      turn(side);
      follow();
    }
  }

  /**
   * @param {() => void} end
   * @param {PointerEvent} [event] Of which pointer; of none: whichever it is.
   */
  function release(end, event) {
    if (event && event.pointerId !== pressed?.pointerId) return;
    clearTimeout(hold);
    const wasDragged = pressed?.time && move.dragged();
    pressed = null;
    if (wasDragged) end();
  }
}

/** @param {PointerEvent} event */
function isTouch({ pointerType }) {
  return pointerType === "touch";
}

/**
 * @param {Event} event
 * @returns {HTMLElement|null}
 */
function buttonAt({ target }) {
  return target instanceof Element ? target.closest("[data-post]") : null;
}

/** @param {HTMLElement} button */
function idOf(button) {
  return Number(button.dataset.post);
}
