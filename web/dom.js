// Elements without markup: whatever a post says stays text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 * @param {string} tag
 * @param {object} [attributes] `on: {click: listener}` listens; true writes an empty attribute; null, undefined and
 *   false write none, except for aria-* and data-*, where false is a value.
 * @param {...(Node|string|number|null|false)} children Strings become text; null and false are left out.
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for an SVG element. */
export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets or, for null, undefined and false, removes an attribute; leaves it alone when nothing changes. */
export function setAttribute(element, name, value) {
  const isWord = name.startsWith("aria-") || name.startsWith("data-");
  if (value === null || value === undefined || (value === false && !isWord)) {
    element.removeAttribute(name);
    return;
  }
  const written = value === true && !isWord ? "" : String(value);
  if (element.getAttribute(name) !== written) element.setAttribute(name, written);
}

/** Makes `text` the element's only content; leaves it alone when it is already, so that nothing flickers. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in their order. Nodes of known keys are kept and, where they must
 * be, moved; so focus, selection and unfolded details survive.
 * @param {Element} parent Has no children but those made here.
 * @param {Array} items
 * @param {(item) => string|number} key Unique among the items.
 * @param {(item) => Element} create Called for a new key.
 * @param {(node: Element, item) => void} [refresh] Called for every item, new ones as well.
 */
export function keyed(parent, items, key, create, refresh = () => {}) {
  const before = nodesOf.get(parent) ?? new Map();
  const after = new Map(items.map((item) => [key(item), item]));
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

const nodesOf = new WeakMap();

/** Does `change`, and gives the focus (and a text's selection) back to the element that had it, if it is still there. */
export function keepingFocus(change) {
  const focused = document.activeElement;
  const selection = selectionOf(focused);
  change();
  if (!focused || focused === document.activeElement || !focused.isConnected) return;
  focused.focus({ preventScroll: true });
  if (selection) focused.setSelectionRange(...selection);
}

function selectionOf(element) {
  if (element?.tagName !== "TEXTAREA") return null;
  return [element.selectionStart, element.selectionEnd, element.selectionDirection];
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else {
      setAttribute(element, name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
