// How long a text is for X, and which texts X does not take, as the server says it (shared/x/text_length.py).
//
// Most Latin letters count 1, most other characters and every emoji 2, every link 23. X has the last word.

import { findLinks } from "./text_links.js";
import { EMOJI } from "./text_tables.js";

/** The weighted length that X accepts from every account. */
export const LIMIT = 280;

const LONGEST_COUNTED = 4000; // no text that long has a length of 280 or less, unless it is one endless link
const LINK_LENGTH = 23;
const EMOJI_LENGTH = 2;
const WEIGHS_TWO = /[^\0-\u10FF\u2000-\u200D\u2010-\u201F\u2032-\u2037]/gu;

const NOT_FOR_X = /[\uFFFE\uFEFF\uFFFF\0\p{Surrogate}]/u;
const EMPTY_GLYPHS = "\\u2800\\u{1D159}\\u{13441}\\u{13442}\\u{16FE4}\\uFFF9-\\uFFFB"; // the last mark annotations
const INVISIBLE = new RegExp(`^[\\p{White_Space}\\p{Control}\\p{Default_Ignorable_Code_Point}${EMPTY_GLYPHS}]*$`, "u");
const SPACES = "\\t-\\r \\x85\\xA0\\u1680\\u180E\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000";
const DIRECTIONS = "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069";
const SIGNS = "!'#%&\\(\\)*+,\\\\\\-.\\/:;<=>?@\\[\\]^_\\{\\|\\}~$";
const CASHTAG = new RegExp(
  `(?<=^|[${SPACES}${DIRECTIONS}])\\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?![^${SPACES}${SIGNS}])`,
  "gu",
);

/**
 * What prevents X from accepting `text`, as a sentence; null when nothing does.
 * @param {string} text
 */
export function textError(text) {
  const sent = withOneLineEnd(text);
  const refused = NOT_FOR_X.exec(sent);
  if (refused) return `The text contains the character ${codePointName(refused[0])}, which X does not accept.`;
  if (INVISIBLE.test(sent)) return "Write something: the text is empty.";
  const characters = countCodePoints(sent);
  if (characters > LONGEST_COUNTED) return `The text has ${characters} characters; X allows ${LIMIT}.`;
  const length = weightedLength(sent);
  if (length > LIMIT) return `The text is ${length} long as X counts; X allows ${LIMIT}.`;
  const cashtags = sent.match(CASHTAG) ?? [];
  if (cashtags.length > 1) {
    return `The text has ${cashtags.length} cashtags, ${cashtags[0]} and ${cashtags[1]}; X allows one.`;
  }
  return null;
}

/**
 * The length of `text` as X counts it.
 * @param {string} text
 */
export function weightedLength(text) {
  const counted = withOneLineEnd(text).normalize("NFC");
  let length = 0;
  let done = 0;
  for (const { start, end } of findLinks(counted)) {
    length += lengthWithoutLinks(counted.slice(done, start)) + LINK_LENGTH;
    done = end;
  }
  return length + lengthWithoutLinks(counted.slice(done));
}

/** @param {string} text */
function withOneLineEnd(text) {
  return text.replace(/\r\n?/g, "\n");
}

/** @param {string} character */
function codePointName(character) {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** @param {string} text */
function countCodePoints(text) {
  return text.length - (text.match(/[\u{10000}-\u{10FFFF}]/gu)?.length ?? 0);
}

/** @param {string} text */
function sumOfWeights(text) {
  return countCodePoints(text) + (text.match(WEIGHS_TWO)?.length ?? 0);
}

/** @param {string} text */
function lengthWithoutLinks(text) {
  let length = sumOfWeights(text);
  let done = 0;
  for (const { index } of text.matchAll(emoji().second)) {
    const start = startOfCharacterBefore(text, index);
    if (start < done) continue;
    for (let end = Math.min(start + emoji().longest, text.length); end > index; end -= 1) {
      const sequence = text.slice(start, end);
      if (!emoji().sequences.has(sequence)) continue;
      length -= sumOfWeights(sequence) - EMOJI_LENGTH;
      done = end;
      break;
    }
  }
  return length;
}

/**
 * @param {string} text
 * @param {number} index
 */
function startOfCharacterBefore(text, index) {
  return (text.codePointAt(index - 2) ?? 0) > 0xffff ? index - 2 : index - 1;
}

/** @type {ReturnType<typeof emojiFrom>|undefined} */
let emojiOfX;

/** The sequences that are one emoji, what can be the second character of one, and the length of the longest. */
function emoji() {
  emojiOfX ??= emojiFrom(EMOJI.trim().split(/\s+/));
  return emojiOfX;
}

/** @param {string[]} entries */
function emojiFrom(entries) {
  const sequences = new Set(
    entries.flatMap((entry) => {
      const tones = entry.includes("tone") ? ["1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"] : [""];
      return tones.map((tone) => {
        const codePoints = entry.replace("tone", tone).split("-");
        return String.fromCodePoint(...codePoints.map((codePoint) => Number.parseInt(codePoint, 16)));
      });
    }),
  );
  const second = new Set(Array.from(sequences, (sequence) => Array.from(sequence)[1]));
  return {
    sequences,
    second: new RegExp(`[${[...second].join("")}]`, "gu"),
    longest: Math.max(...Array.from(sequences, (sequence) => sequence.length)),
  };
}
