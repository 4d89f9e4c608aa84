// Where X finds links in a text: with `http://` or `https://` in front, or as bare host names (`example.com`).
//
// The rules are those of X's twitter-text; the server has the same (shared/x/links.py). Every part of a text is
// searched a fixed number of times, so that the time grows with the length of the text, whatever the text is.

import { lengthInAscii } from "./punycode_length.js";
import { TOP_LEVEL_DOMAINS } from "./text_tables.js";

const NOT_IN_LABEL =
  "!'#%&\\(\\)*+,\\\\.\\/:;<=>?@\\[\\]\\^\\{\\|\\}~$" + // the signs of ASCII, but for - and _, and for " and `
  "\\t-\\r \\x85\\xA0\\u1680\\u180E\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000" + // spaces
  "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069" + // marks of direction
  "\\uFFFE\\uFEFF\\uFFFF";
const LATIN =
  "\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u024F\\u0253\\u0254\\u0256\\u0257\\u0259\\u025B\\u0263\\u0268\\u026F\\u0272\\u0289" +
  "\\u028B\\u02BB\\u0300-\\u036F\\u1E00-\\u1EFF";

const LABEL = new RegExp(`([^${NOT_IN_LABEL}]+)(\\.|:\\/\\/)?`, "gu");
const LETTER = new RegExp(`[^${NOT_IN_LABEL}_\\-]`, "uy");
const START = new RegExp(`(?<=[^A-Za-z0-9@＠$#＃\\uFFFE\\uFEFF\\uFFFF])[^${NOT_IN_LABEL}_\\-]`, "gu");
const NOT_BEFORE_BARE = "-_./";
const LATIN_LABELS = new RegExp(`(?:[\\-A-Za-z0-9${LATIN}]+\\.)+`, "gu");
const PUNYCODE_TOP_LEVEL = /[Xx][Nn]--[-0-9A-Za-z]+/uy;
const NOT_BEHIND_TOP_LEVEL = /[0-9A-Za-z@+-]/;

const PATH_LETTER = `[A-Za-z0-9\\u0400-\\u04FF\\u2013!*';:=+,.$\\/%#\\[\\]\\-_~@\\|&${LATIN}]`;
const PARENTHESES = `\\((?:${PATH_LETTER}+|${PATH_LETTER}*\\(${PATH_LETTER}+\\)${PATH_LETTER}*)\\)`;
const PATH_END = `(?:[A-Za-z0-9\\u0400-\\u04FF+\\-=_#\\/${LATIN}]|${PARENTHESES})`;
const QUERY = "\\?[A-Za-z0-9!?*'@\\(\\);:&=+$\\/%#\\[\\]\\-_.,~\\|]*[A-Za-z0-9\\-_&=#\\/]";
const PORT_PATH_QUERY = new RegExp(
  `(?::[0-9]+)?(\\/(?:(?:${PATH_LETTER}|${PARENTHESES})*${PATH_END})?)?(?:${QUERY})?`,
  "uy",
);
const SHORT_LINK = new RegExp(`^https?:\\/\\/t\\.co\\/([A-Za-z0-9]+)(?:${QUERY})?`, "i");

const LONGEST_LINK = 4096; // X counts the scheme twice
const LONGEST_SHORT_LINK = 40;
const LONGEST_LABEL = 63;
const DOTS = /[.\u3002\uFF0E\uFF61]/; // the full stops of other scripts separate labels, too

/**
 * @typedef {{start: number, end: number}} Link A place in the text, as is each number below.
 * @typedef {{start: number, nameEnd: number, end: number, name: string, after: string|undefined}} Label
 * @typedef {({lastLabel: number, end: number}|null)[]} Hosts
 * @typedef {{start: number, hostStart: number, hostEnd: number}} Candidate
 */

/**
 * The links in `text` (which is in the form NFC), in order.
 * @param {string} text
 * @returns {Generator<Link>}
 */
export function* findLinks(text) {
  if (!text.includes(".")) return;
  const labels = Array.from(text.matchAll(LABEL), ({ index, 0: whole, 1: name, 2: after }) => ({
    start: index,
    nameEnd: index + name.length,
    end: index + whole.length,
    name,
    after,
  }));
  const hosts = findHosts(text, labels);
  let free = 0; // the text before it belongs to what was found
  for (const [index, label] of labels.entries()) {
    if (label.end <= free) continue;
    const find = label.after === "://" ? withScheme : bareHost;
    const found = find(text, labels, hosts, index, free);
    if (!found) continue;
    const [rest = "", path] = matchAt(PORT_PATH_QUERY, text, found.hostEnd) ?? [];
    free = found.hostEnd + rest.length;
    const schemeLength = found.hostStart - found.start || "https://".length;
    const isShortEnough = free - found.start + schemeLength <= LONGEST_LINK;
    if (isShortEnough && isHost(text.slice(found.hostStart, found.hostEnd)))
      yield* linksOf(text, found, free, path !== undefined);
  }
}

/**
 * For each label the longest host that begins in it, from its first letter or a later one on: where it ends, and which
 * label is its last before the top-level domain; that one may have no underscore.
 * @param {string} text
 * @param {Label[]} labels
 */
function findHosts(text, labels) {
  /** @type {Hosts} */
  const hosts = labels.map(() => null);
  for (let index = labels.length - 1; index >= 0; index -= 1) {
    const { name, after, end } = labels[index];
    if (after !== "." || /[_-]$/.test(name)) continue;
    if (beginsHost(index + 1, labels, hosts)) {
      hosts[index] = hosts[index + 1];
      continue;
    }
    const hostEnd = topLevelEnd(text, end);
    if (hostEnd !== null) hosts[index] = { lastLabel: index, end: hostEnd };
  }
  return hosts;
}

/**
 * Whether a label is as a whole the first of a host, and follows the label before it at once.
 * @param {number} index
 * @param {Label[]} labels
 * @param {Hosts} hosts
 */
function beginsHost(index, labels, hosts) {
  const label = labels[index];
  if (!label || label.start !== labels[index - 1].end || /^[_-]/.test(label.name)) return false;
  const host = hosts[index];
  return host !== null && (host.lastLabel > index || !label.name.includes("_"));
}

/**
 * @param {string} text
 * @param {Label[]} labels
 * @param {Hosts} hosts
 * @param {number} index
 * @param {number} free
 * @returns {Candidate|null}
 */
function withScheme(text, labels, hosts, index, free) {
  const { name, nameEnd, end } = labels[index];
  const scheme = /https?$/i.exec(name.slice(-"https".length));
  const host = beginsHost(index + 1, labels, hosts) ? hosts[index + 1] : null;
  if (!scheme || !host) return null;
  const start = nameEnd - scheme[0].length;
  if (start > 0 && firstStart(text, Math.max(start, behind(text, free)), start + 1) === null) return null;
  return { start, hostStart: end, hostEnd: host.end };
}

/** @type {typeof withScheme} */
function bareHost(text, labels, hosts, index, free) {
  const label = labels[index];
  const host = hosts[index];
  if (!host) return null;
  const begin = label.start + (host.lastLabel === index ? label.name.lastIndexOf("_") + 1 : 0);
  let start = firstStart(text, Math.max(begin, behind(text, free)), label.nameEnd);
  // X tries the start of the text only after the place behind its first character.
  if (begin === 0 && free === 0 && start !== behind(text, 0) && matchAt(LETTER, text, 0)) start = 0;
  return start === null ? null : { start, hostStart: start, hostEnd: host.end };
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
function firstStart(text, from, to) {
  const found = matchAt(START, text, from);
  return found && found.index < to ? found.index : null;
}

/**
 * @param {string} text
 * @param {number} index
 */
function behind(text, index) {
  return index + ((text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1);
}

/**
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} index
 */
function matchAt(pattern, text, index) {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

/**
 * @param {string} text
 * @param {number} start
 */
function topLevelEnd(text, start) {
  if (!matchAt(LETTER, text, start)) return null;
  const punycode = matchAt(PUNYCODE_TOP_LEVEL, text, start);
  if (punycode) return start + punycode[0].length;
  const { domains, longest } = topLevelDomains();
  for (let end = Math.min(start + longest, text.length); end > start; end -= 1) {
    if (domains.has(text.slice(start, end).toLowerCase()) && !NOT_BEHIND_TOP_LEVEL.test(text.charAt(end))) return end;
  }
  return null;
}

/** @param {string} name */
function isHost(name) {
  return name.split(DOTS).every((label) => lengthInAscii(label, LONGEST_LABEL) <= LONGEST_LABEL);
}

/**
 * @param {string} text
 * @param {Candidate} candidate
 * @param {number} end
 * @param {boolean} hasPath
 * @returns {Generator<Link>}
 */
function* linksOf(text, { start, hostStart, hostEnd }, end, hasPath) {
  if (start < hostStart) {
    const short = SHORT_LINK.exec(text.slice(start, end));
    if (!short) yield { start, end };
    else if (short[1].length <= LONGEST_SHORT_LINK) yield { start, end: start + short[0].length };
  } else if (start === 0 || !NOT_BEFORE_BARE.includes(text[start - 1])) {
    const bare = latinHosts(text.slice(start, hostEnd));
    for (const [index, host] of bare.entries()) {
      const isLast = index === bare.length - 1;
      yield { start: start + host.start, end: isLast && hasPath ? end : start + host.end };
    }
  }
}

/**
 * Without a scheme only the Latin parts of a host are links: `見てexample.com`, but not `例え.jp`.
 * @param {string} host
 */
function latinHosts(host) {
  return Array.from(host.matchAll(LATIN_LABELS), ({ index, 0: labels }) => {
    for (let dot = labels.lastIndexOf("."); dot > 0; dot = labels.lastIndexOf(".", dot - 1)) {
      const end = topLevelEnd(host, index + dot + 1);
      if (end !== null) return { start: index, end };
    }
    return null;
  }).filter((found) => found !== null);
}

/** @type {{domains: Set<string>, longest: number}|undefined} */
let topLevel;

/** The domains, and the length of the longest. */
function topLevelDomains() {
  if (!topLevel) {
    const names = TOP_LEVEL_DOMAINS.trim().split(/\s+/);
    topLevel = { domains: new Set(names), longest: Math.max(...names.map((name) => name.length)) };
  }
  return topLevel;
}
