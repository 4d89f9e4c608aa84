// While a pointer is at work in the lists, no row changes its place: the next click would hit its neighbour.

const WORKS = 1_500;

/**
 * @param {HTMLElement} root Has the rows.
 * @param {() => void} release Called when rows may change their places again, if they were asked for meanwhile.
 * @returns {{isHeld: () => boolean}} `isHeld` asks whether rows must stay in their places now.
 */
export function orderHold(root, release) {
  let workedAt = -Infinity;
  let isInside = false;
  let timer = 0;
  /** @type {Element|null} What was under the pointer when it last moved. */
  let pointed = null;

  root.addEventListener("pointerover", note);
  root.addEventListener("pointermove", note);
  root.addEventListener("pointerdown", note);
  root.addEventListener("pointerleave", () => {
    isInside = false;
    if (timer) free();
  });
  root.addEventListener("click", stopStray, { capture: true });
  document.addEventListener("scroll", forget, { capture: true, passive: true });

  /** @param {PointerEvent} event */
  function note({ type, target, pointerType }) {
    if (type === "pointerover" && !isInside) return; // a row came under the resting pointer
    isInside = true;
    workedAt = performance.now();
    const isAimed = type === "pointermove" || (type === "pointerdown" && pointerType !== "mouse"); // a finger does not rest
    if (isAimed) pointed = rowOf(target);
  }

  /** Who scrolls sees what comes under the pointer. */
  function forget() {
    pointed = null;
  }

  function isHeld() {
    const rest = workedAt + WORKS - performance.now();
    if (!isInside || rest <= 0) return false;
    clearTimeout(timer);
    timer = setTimeout(free, rest);
    return true;
  }

  function free() {
    clearTimeout(timer);
    timer = 0;
    release();
  }

  /**
   * A row may have come under a pointer that rests: its author meant the row that was there.
   * @param {MouseEvent} event
   */
  function stopStray(event) {
    const isByPointer = event.detail > 0 && pointed !== null;
    if (!isByPointer || rowOf(event.target) === pointed || rowOf(event.target) === null) return;
    pointed = rowOf(event.target); // the next click means this one
    event.preventDefault();
    event.stopPropagation();
  }

  return { isHeld };
}

/** @param {EventTarget|null} target */
function rowOf(target) {
  return target instanceof Element ? target.closest("article") : null;
}
