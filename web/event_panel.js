// One list of the machine room: a named region with a heading, a sentence that says what one sees, and rows.

import { h, keyed } from "./dom.js";

const FIRST = 8;
const STEP = 20;
const MOST = 200; // as many as the page's server gives

/**
 * A panel, empty until it is filled.
 * @param {{title: string, words: string, empty: string, unsearched: string,
 *   create: (row) => Element, refresh?: (node: Element, row) => void, onMore: () => void}} panel
 * @returns {{element: Element, limit: number, fill: (page: {rows: object[], more: boolean,
 *   searched_all: boolean}) => void, turn: () => void}} `limit` is how many rows are wanted; `fill` shows what the
 *   server gave, and marks what is new; after `turn`, when other rows are asked for, nothing counts as new.
 */
export function eventPanel({ title, words, empty, unsearched, create, refresh, onMore }) {
  const id = `${title.toLowerCase().replaceAll(" ", "-")}-title`;
  const nothing = h("p", { class: "empty", hidden: true }, empty);
  const limited = h("p", { class: "small soft", hidden: true }, unsearched);
  const list = h("ol", { class: "rows" });
  const more = h("button", { class: "button quiet", type: "button", on: { click: showMore } }, "Show more");
  const element = h(
    "section",
    { class: "card panel", "aria-labelledby": id },
    h("h3", { id }, title),
    h("p", { class: "small soft" }, words),
    nothing,
    limited,
    list,
    more,
  );
  let isOther = true;
  const panel = { element, limit: FIRST, fill, turn };

  function fill(page) {
    const rows = page.rows.slice(0, panel.limit);
    nothing.hidden = rows.length > 0 || !page.searched_all;
    limited.hidden = page.searched_all;
    more.hidden = (!page.more && rows.length === page.rows.length) || panel.limit >= MOST;
    keyed(list, rows, (row) => row.id, createMarked, refresh);
    isOther = false;
  }

  function turn() {
    isOther = true;
  }

  function createMarked(row) {
    const node = create(row);
    if (!isOther) node.classList.add("arrived");
    return node;
  }

  function showMore() {
    panel.limit = Math.min(panel.limit + STEP, MOST);
    turn();
    onMore();
  }

  return panel;
}
