// Elements without markup: the text of a post is never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Node|string|number|null|undefined|false} Child
 * @typedef {{[K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void}} Listeners
 * @typedef {{on?: Listeners, [attribute: string]: unknown}} Attributes `on: {click: listener}` adds listeners; true
 *   writes an empty attribute; null, undefined and false write none, except for aria-* and data-*, where false is a
 *   value.
 */

/**
 * The element of index.html with this id.
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} id
 * @param {new () => E} [type] Its class, where more than that of every HTML element is needed.
 * @returns {E}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`index.html has no such element: ${id}`);
  return /** @type {E} */ (found);
}

/**
 * A new HTML element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes|null} [attributes]
 * @param {...Child} children Strings become text; null, undefined and false are left out.
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes, ...children) {
  const created = document.createElement(tag);
  for (const [type, listener] of Object.entries(attributes?.on ?? {})) {
    created.addEventListener(type, /** @type {EventListener} */ (listener));
  }
  fill(created, attributes, children);
  return created;
}

/**
 * A new SVG element.
 * @param {keyof SVGElementTagNameMap} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 */
export function svg(tag, attributes, ...children) {
  const created = document.createElementNS(SVG, tag);
  fill(created, attributes, children);
  return created;
}

/**
 * Sets or, for null, undefined and false, removes an attribute. Writes nothing when nothing changes.
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
export function setAttribute(element, name, value) {
  const takesFalse = name.startsWith("aria-") || name.startsWith("data-");
  if (value === null || value === undefined || (value === false && !takesFalse)) {
    element.removeAttribute(name);
    return;
  }
  const written = value === true && !takesFalse ? "" : String(value);
  if (element.getAttribute(name) !== written) element.setAttribute(name, written);
}

/**
 * Makes `text` the element's only content. Writes nothing when nothing changes, so that nothing flickers.
 * @param {Node} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows a message in its element, or hides the element when there is none.
 * @param {HTMLElement} element
 * @param {string} message
 */
export function showMessage(element, message) {
  setText(element, message);
  element.hidden = !message;
}

/**
 * Makes the children of `parent` those of `items`, in their order. Nodes of known keys are kept and moved where
 * necessary; so focus, selection and open details survive.
 * @template I
 * @template {HTMLElement} N
 * @param {Element} parent Has no children but those made here.
 * @param {I[]} items
 * @param {(item: I) => string|number} key Unique among the items.
 * @param {(item: I) => N} create Called for a new key.
 * @param {(node: N, item: I) => void} [refresh] Called for every item, new ones as well.
 */
export function keyed(parent, items, key, create, refresh = () => {}) {
  const before = /** @type {Map<string|number, N>} */ (nodesOf.get(parent) ?? new Map());
  const after = new Map(items.map((item) => [key(item), item]));
  /** @type {Map<string|number, N>} */
  const nodes = new Map();
  keepingFocus(() => {
    for (const [known, node] of before) {
      if (!after.has(known) && node.parentNode === parent) node.remove();
    }
    let place = parent.firstElementChild;
    for (const [wanted, item] of after) {
      const node = before.get(wanted) ?? create(item);
      nodes.set(wanted, node);
      if (node === place) place = place.nextElementSibling;
      else parent.insertBefore(node, place);
      refresh(node, item);
    }
  });
  nodesOf.set(parent, nodes);
}

/** @type {WeakMap<Element, Map<string|number, Element>>} */
const nodesOf = new WeakMap();

/**
 * Makes a change, and gives the focus (and a text's selection) back to the element that had it, if it still exists.
 * @param {() => void} change
 */
export function keepingFocus(change) {
  const focused = document.activeElement;
  const field = focused instanceof HTMLTextAreaElement ? focused : null;
  const selection =
    field && /** @type {const} */ ([field.selectionStart, field.selectionEnd, field.selectionDirection]);
  change();
  if (!(focused instanceof HTMLElement) || focused === document.activeElement || !focused.isConnected) return;
  focused.focus({ preventScroll: true });
  if (field && selection) field.setSelectionRange(...selection);
}

/**
 * @param {Element} created
 * @param {Attributes|null|undefined} attributes
 * @param {Child[]} children
 */
function fill(created, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name !== "on") setAttribute(created, name, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      created.append(child instanceof Node ? child : String(child));
    }
  }
}
