// Whether a domain with any letters can be written as a host name (IDNA 2003: RFC 3490, 3491 and 3492), as the server's
// counter asks. The browser's own URL follows a later standard, which refuses and allows other names.

const DOTS = /[.\u3002\uFF0E\uFF61]/;
const LONGEST_LABEL = 63;
const LEFT_OUT = /[\xAD\u034F\u1806\u180B-\u180D\u200B-\u200D\u2060\uFE00-\uFE0F\uFEFF]/g;
const FORBIDDEN = new RegExp(
  "[\\x80-\\xA0\\u0340\\u0341\\u06DD\\u070F\\u1680\\u180E\\u2000-\\u200F\\u2028-\\u202F\\u205F-\\u206F" +
    "\\u2FF0-\\u2FFB\\u3000\\uFFF9-\\uFFFD\\u{1D173}-\\u{1D17A}\\u{E0000}-\\u{E007F}" +
    "\\p{Co}\\p{Cs}\\p{Noncharacter_Code_Point}]",
  "u",
);
const RIGHT_TO_LEFT = // RFC 3454, table D.1
  "\\u05BE\\u05C0\\u05C3\\u05D0-\\u05EA\\u05F0-\\u05F4\\u061B\\u061F\\u0621-\\u063A\\u0640-\\u064A\\u066D-\\u066F" +
  "\\u0671-\\u06D5\\u06DD\\u06E5\\u06E6\\u06FA-\\u06FE\\u0700-\\u070D\\u0710\\u0712-\\u072C\\u0780-\\u07A5\\u07B1" +
  "\\uFB1D\\uFB1F-\\uFB28\\uFB2A-\\uFB36\\uFB38-\\uFB3C\\uFB3E\\uFB40\\uFB41\\uFB43\\uFB44\\uFB46-\\uFBB1" +
  "\\uFBD3-\\uFD3D\\uFD50-\\uFD8F\\uFD92-\\uFDC7\\uFDF0-\\uFDFC\\uFE70-\\uFE74\\uFE76-\\uFEFC";
const HAS_RIGHT_TO_LEFT = new RegExp(`[${RIGHT_TO_LEFT}]`);
const ALL_RIGHT_TO_LEFT = new RegExp(`^[${RIGHT_TO_LEFT}](?:[[^\\p{L}]${RIGHT_TO_LEFT}]*[${RIGHT_TO_LEFT}])?$`, "v");

/** The length that `domain` has in ASCII, null when it cannot be written so: DNS has labels of 1 to 63 letters. */
export function lengthInAscii(domain) {
  const lengths = domain.split(DOTS).map(labelLength);
  if (lengths.some((length) => length === null || length < 1 || length > LONGEST_LABEL)) return null;
  return lengths.reduce((sum, length) => sum + length, lengths.length - 1);
}

function labelLength(label) {
  if (/^\p{ASCII}*$/u.test(label)) return label.length;
  const prepared = label.replace(LEFT_OUT, "").toLowerCase().normalize("NFKC");
  if (/^\p{ASCII}*$/u.test(prepared)) return prepared.length;
  if (FORBIDDEN.test(prepared) || prepared.startsWith("xn--")) return null;
  if (HAS_RIGHT_TO_LEFT.test(prepared) && !ALL_RIGHT_TO_LEFT.test(prepared)) return null;
  return "xn--".length + punycodeLength(Array.from(prepared, (letter) => letter.codePointAt(0)));
}

// RFC 3492, section 6.3, but for the digits themselves: only how many there are.
function punycodeLength(codePoints) {
  if (codePoints.length > LONGEST_LABEL) return codePoints.length; // one digit each is the least
  const basic = codePoints.filter((codePoint) => codePoint < 128).length;
  let length = basic > 0 ? basic + 1 : 0;
  let [bias, delta, handled, smallest] = [72, 0, basic, 128];
  while (handled < codePoints.length) {
    const next = Math.min(...codePoints.filter((codePoint) => codePoint >= smallest));
    delta += (next - smallest) * (handled + 1);
    for (const codePoint of codePoints) {
      if (codePoint < next) delta += 1;
      if (codePoint !== next) continue;
      length += digitsOf(delta, bias);
      bias = adapted(delta, handled + 1, handled === basic);
      delta = 0;
      handled += 1;
    }
    delta += 1;
    smallest = next + 1;
  }
  return length;
}

function digitsOf(delta, bias) {
  let count = 1;
  for (let position = 36, rest = delta; ; position += 36, count += 1) {
    const threshold = Math.min(Math.max(position - bias, 1), 26);
    if (rest < threshold) return count;
    rest = Math.floor((rest - threshold) / (36 - threshold));
  }
}

function adapted(delta, handled, isFirst) {
  let rest = Math.floor(delta / (isFirst ? 700 : 2));
  rest += Math.floor(rest / handled);
  let bias = 0;
  for (; rest > 455; bias += 36) rest = Math.floor(rest / 35);
  return bias + Math.floor((36 * rest) / (rest + 38));
}
