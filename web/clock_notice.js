// Tells an author whose device shows another time than the server, since it is the server's at which posts go out.

import { behind, clock } from "./clock.js";
import { h, setText } from "./dom.js";
import { duration } from "./times.js";

const MINUTE = 60_000;

/** A notice, hidden while the device's clock is right. */
export function clockNotice() {
  const notice = h("p", { class: "notice wait", role: "status", hidden: true });

  function refresh() {
    notice.hidden = !behind();
    setText(notice, notice.hidden ? "" : wordsFor(behind()));
  }

  clock.addEventListener("change", refresh);
  refresh();
  return notice;
}

function wordsFor(difference) {
  const length = duration(Math.round(Math.abs(difference) / MINUTE) * MINUTE);
  const off = difference > 0 ? "behind" : "ahead";
  return `This device's clock is ${length} ${off}. What is told here is by the server's clock.`;
}
