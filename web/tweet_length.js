// How long a text is for X (its docs, Counting characters; twitter-text configuration v3): most Latin letters 1, most
// other characters and every emoji 2, every link 23. The server counts by the same rules, and X has the last word.

import { EMOJI } from "./emoji_of_x.js";
import { linksIn } from "./links_of_x.js";

/** The weighted length that X accepts from every account. */
export const MAX = 280;

const LINK_LENGTH = 23;
const WEIGHS_ONE = /[\0-\u10FF\u2000-\u200D\u2010-\u201F\u2032-\u2037]/gu;

const WITHOUT_SPACE_OR_SLASH = /[^\t-\r \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\/]+/gu;
const MOST_DOTS = 20; // with more of them it is no address, to the server neither

/** The length of `text` as X counts it. Takes a millisecond or so for a tweet, and in proportion longer for more. */
export function weightedLength(text) {
  const counted = text
    .replace(WITHOUT_SPACE_OR_SLASH, withoutNeedlessDots)
    .replace(/\r\n?/g, "\n")
    .normalize("NFC");
  let length = 0;
  let from = 0;
  for (const { start, end } of linksIn(counted)) {
    length += lengthOfLetters(counted.slice(from, start)) + LINK_LENGTH;
    from = end;
  }
  return length + lengthOfLetters(counted.slice(from));
}

function withoutNeedlessDots(run) {
  return run.split(".").length - 1 > MOST_DOTS ? run.replaceAll(".", ",") : run;
}

function lengthOfLetters(text) {
  const emoji = text.match(EMOJI)?.length ?? 0;
  const letters = text.replace(EMOJI, "");
  const codePoints = letters.length - (letters.match(/[\u{10000}-\u{10FFFF}]/gu)?.length ?? 0);
  const light = letters.match(WEIGHS_ONE)?.length ?? 0;
  return 2 * (emoji + codePoints) - light;
}
