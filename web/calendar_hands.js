// What hands do in the calendar: keys, a mouse or a pen move posts. A finger scrolls, and opens a post: it can move it
// in the list.

import { addDays } from "./calendar_days.js";

const DRAG_PIXELS = 5;
const HALF_HOUR = 30 * 60_000;

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
 * @param {object} move From moving().
 * @param {object} calendar
 * @param {() => "week"|"month"} calendar.kind
 * @param {() => object} calendar.table The view shown: it knows which time a place means.
 * @param {(button: HTMLElement) => void} calendar.look Shows more about a post.
 * @param {(id: number) => void} calendar.open Leaves for the post in the list.
 * @param {() => boolean} calendar.isDrawing Whether the focus is lost only for a moment.
 */
export function hands(area, move, { kind, table, look, open, isDrawing }) {
  let held = null;

  area.addEventListener("click", (event) => {
    const id = idAt(event);
    if (id === null) return;
    if (event.detail > 0) look(event.target.closest("[data-post]"));
    else if (move.carried()) move.drop();
    else move.pickUp(id);
  });
  area.addEventListener("dblclick", (event) => {
    const id = idAt(event);
    if (id !== null) open(id);
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey && idAt(event) !== null) {
      event.preventDefault();
      open(idAt(event));
    } else if (event.repeat && ["Enter", " "].includes(event.key)) {
      event.preventDefault(); // a key held down neither drops what it has just picked up
    } else if (move.carried()) {
      carry(event);
    }
  });
  area.addEventListener("focusout", () => {
    if (move.carried() && !held && !isDrawing() && !document.querySelector("dialog[open]")) move.letGo();
  });
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch" || idAt(event) === null || move.carried()) return;
    const { pointerId, clientX, clientY } = event;
    const from = table().pointAt(event);
    held = { id: idAt(event), pointerId, clientX, clientY, from, last: event, isDragged: false };
  });
  area.addEventListener("pointermove", (event) => {
    if (held?.pointerId === event.pointerId) drag(event);
  });
  area.addEventListener("pointerup", () => letGo(() => move.drop()));
  area.addEventListener("pointercancel", () => letGo(() => move.putBack()));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && held?.isDragged) letGo(() => move.putBack());
  });

  function carry(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      move.putBack();
    }
    const step = STEPS[kind()][event.key];
    if (!step) return;
    event.preventDefault();
    move.carryTo(step(move.carried().time));
    event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function drag(event) {
    held.last = event;
    if (!held.isDragged) {
      if (Math.hypot(event.clientX - held.clientX, event.clientY - held.clientY) < DRAG_PIXELS) return;
      if (!move.pickUp(held.id, "Escape puts it back.")) {
        held = null;
        return;
      }
      held.isDragged = true;
      held.time = move.carried().time;
      area.setPointerCapture(event.pointerId); // of the area: the post's button goes from day to day
      requestAnimationFrame(scrollOn);
    }
    follow();
  }

  function follow() {
    if (!move.carried()) return;
    const time = table().target(held.time, held.from, table().pointAt(held.last));
    if (time) move.carryTo(time);
  }

  function scrollOn() {
    if (!held?.isDragged) return;
    if (table().scrollAtEdge(held.last)) follow();
    requestAnimationFrame(scrollOn);
  }

  function letGo(end) {
    const wasDragged = held?.isDragged && move.carried();
    held = null;
    if (wasDragged) end();
  }
}

function idAt({ target }) {
  const button = target.closest("[data-post]");
  return button ? Number(button.dataset.post) : null;
}
