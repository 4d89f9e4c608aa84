// How long a label of a host name is when it is written in ASCII (RFC 3492). The browser's own URL follows IDNA, which
// refuses names that X takes.

/**
 * The length of `label` in ASCII; of one with more than `longest` characters, a number greater than `longest`.
 * @param {string} label
 * @param {number} longest
 */
export function lengthInAscii(label, longest) {
  const codePoints = Array.from(label, (letter) => letter.codePointAt(0) ?? 0);
  if (codePoints.every((codePoint) => codePoint < 128) || codePoints.length > longest) return codePoints.length;
  return "xn--".length + punycodeLength(codePoints);
}

/**
 * Section 6.3 of the RFC, but for the digits themselves: only how many there are.
 * @param {number[]} codePoints
 */
function punycodeLength(codePoints) {
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

/**
 * @param {number} delta
 * @param {number} bias
 */
function digitsOf(delta, bias) {
  let count = 1;
  for (let position = 36, rest = delta; ; position += 36, count += 1) {
    const threshold = Math.min(Math.max(position - bias, 1), 26);
    if (rest < threshold) return count;
    rest = Math.floor((rest - threshold) / (36 - threshold));
  }
}

/**
 * @param {number} delta
 * @param {number} handled
 * @param {boolean} isFirst
 */
function adapted(delta, handled, isFirst) {
  let rest = Math.floor(delta / (isFirst ? 700 : 2));
  rest += Math.floor(rest / handled);
  let bias = 0;
  for (; rest > 455; bias += 36) rest = Math.floor(rest / 35);
  return bias + Math.floor((36 * rest) / (rest + 38));
}
