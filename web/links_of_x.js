// Where X finds links in a text: with `http://` or `https://` in front, or a bare domain with a top-level domain at its
// end (the rules of X's twitter-text 3.1, with the limits that the server's counter has).
//
// The search takes time in proportion to the text. A link can begin in the middle of a word (`見てexample.com`), but from
// which of a label's letters makes no difference to whether there is one: so two places in a label are tried, not all.

import { lengthInAscii } from "./host_names.js";
import { TOP_LEVEL_DOMAINS } from "./tlds.js";

const NOT_IN_A_HOST =
  "\\-!'#%&\\(\\)*+,\\\\.\\/:;<=>?@\\[\\]\\^_\\{\\|\\}~$" + // the signs of ASCII but \" and `
  "\\t-\\r \\x85\\xA0\\u1680\\u180E\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000" + // spaces
  "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069" + // marks of direction
  "\\uFFFE\\uFEFF\\uFFFF";
const LATIN =
  "\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u024F\\u0253\\u0254\\u0256\\u0257\\u0259\\u025B\\u0263\\u0268\\u026F\\u0272\\u0289" +
  "\\u028B\\u02BB\\u0300-\\u036F\\u1E00-\\u1EFF";

const hostLetter = `[^${NOT_IN_A_HOST}]`;
const label = (inside) => `${hostLetter}(?:[${inside}[^${NOT_IN_A_HOST}]]*${hostLetter})?\\.`;
const topLevel = `(?:(?:${TOP_LEVEL_DOMAINS.join("|")})(?![0-9a-z@+\\-])|xn--[\\-0-9a-z]+)`;
const domain = `(?:${label("_\\-")})*${label("\\-")}${topLevel}`;

const pathLetter = `[a-z0-9\\u0400-\\u04FF\\u2013!*';:=+,.$\\/%#\\[\\]\\-_~@\\|&${LATIN}]`;
const inParentheses = `\\((?:${pathLetter}+|${pathLetter}*\\(${pathLetter}+\\)${pathLetter}*)\\)`;
const pathEnd = `(?:[a-z0-9\\u0400-\\u04FF+\\-=_#\\/${LATIN}]|${inParentheses})`;
const path = `(?:${pathLetter}*(?:${inParentheses}${pathLetter}*)*${pathEnd}|@${pathLetter}+\\/)`;
const query = "\\?[a-z0-9!?*'@\\(\\);:&=+$\\/%#\\[\\]\\-_.,~\\|]*[a-z0-9\\-_&=#\\/]";

const LINK = new RegExp(
  `(?<scheme>https?:\\/\\/)?(?<domain>${domain})(?::[0-9]+)?(?<path>\\/${path}*)?(?:${query})?`,
  "ivy",
);
const BARE_DOMAIN = new RegExp(`(?<![\\-a-z0-9${LATIN}])(?:[\\-a-z0-9${LATIN}]+\\.)+${topLevel}`, "giv");
const SHORT_LINK = new RegExp(`^https?:\\/\\/t\\.co\\/(?<slug>[a-z0-9]+)(?:${query})?`, "iv");
const LABEL = new RegExp(`(?:[_\\-]|${hostLetter})+(?<after>\\.|:\\/\\/)?`, "giv");
const HOST_LETTER = new RegExp(`^${hostLetter}`, "v");
const NO_LINK_AFTER = /[A-Za-z0-9@＠$#＃\uFFFE\uFEFF\uFFFF]/;
const NO_BARE_LINK_AFTER = /[\-_.\/]/;

const LONGEST_LINK = 4096;
const LONGEST_SHORT_LINK = 40;

/** The links in `text` (which is in Unicode's form NFC), in order: `{start, end}`, places in the string. */
export function* linksIn(text) {
  for (let found = nextLink(text, 0); found; found = nextLink(text, found.index + found[0].length)) {
    yield* found.groups.scheme ? wholeLink(found) : bareLinks(found);
  }
}

// What looks like a link. The character in front of it may be the one at `from`, but none before.
function nextLink(text, from) {
  LABEL.lastIndex = from;
  for (let label = LABEL.exec(text); label; label = LABEL.exec(text)) {
    for (const start of startsIn(label, from)) {
      LINK.lastIndex = start;
      const link = LINK.exec(text);
      if (link) return link;
    }
  }
  return null;
}

function startsIn({ 0: label, index, input, groups: { after } }, from) {
  if (after === undefined) return [];
  const end = index + label.length - after.length;
  if (after !== ".") {
    const scheme = /https?$/i.exec(input.slice(Math.max(index, end - "https".length), end));
    return scheme ? [end - scheme[0].length].filter((start) => start === 0 || fits(input, start, from)) : [];
  }
  const first = firstFit(input, index, end, from);
  const afterLine = firstFit(input, index + label.lastIndexOf("_") + 1, end, from); // no "_" in front of a top level
  return inOrder(input, index === 0 ? [first, afterLine, 0] : [first, afterLine]);
}

// At the very start of a text a link needs no character in front; but X looks first for one behind the first character.
function inOrder(text, starts) {
  const second = text.codePointAt(0) > 0xffff ? 2 : 1;
  const rank = (start) => (start === 0 ? second + 0.5 : start);
  return starts.filter((start) => start !== null).sort((one, other) => rank(one) - rank(other));
}

function firstFit(text, from, to, free) {
  for (let at = from; at < to; at += text.codePointAt(at) > 0xffff ? 2 : 1) {
    if (fits(text, at, free)) return at;
  }
  return null;
}

function fits(text, at, free) {
  return at > free && !NO_LINK_AFTER.test(text[at - 1]) && HOST_LETTER.test(text.slice(at, at + 2));
}

function wholeLink({ 0: link, index, groups }) {
  if (!isHost(groups.domain, groups.scheme.length + link.length)) return []; // X's library counts the scheme twice
  const short = SHORT_LINK.exec(link);
  if (!short) return [{ start: index, end: index + link.length }];
  return short.groups.slug.length > LONGEST_SHORT_LINK ? [] : [{ start: index, end: index + short[0].length }];
}

// Of a host with other letters than Latin ones only the Latin parts are links: `見てexample.com`, but not `例え.jp`.
function bareLinks({ 0: link, index, input, groups: { domain, path } }) {
  if (index > 0 && NO_BARE_LINK_AFTER.test(input[index - 1])) return [];
  if (!isHost(domain, "https://".length + link.length)) return [];
  const links = Array.from(domain.matchAll(BARE_DOMAIN), (found) => ({
    start: index + found.index,
    end: index + found.index + found[0].length,
  }));
  if (path && links.length) links.at(-1).end += link.length - domain.length; // so much, even if it is not at the end
  return links;
}

// Whether the domain can be a host's, in a link not too long for X, which counts it as it is written in ASCII.
function isHost(domain, linkLength) {
  const length = lengthInAscii(domain);
  return length !== null && linkLength + length - domain.length <= LONGEST_LINK;
}
