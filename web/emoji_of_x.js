// Which sequences of characters are one emoji to X: those of Emoji 12.0, as its twitter-text 3.1 knows them.
//
// The browser's own \p{RGI_Emoji} knows newer ones too (a burning heart, a person who feeds a baby, a handshake of two
// tones). X's library counts those by their parts, so a counter that took them for one would promise too much room.

const TONE = "[\u{1F3FB}-\u{1F3FF}]";
const HEART = "❤\\uFE0F?";
const WITH = "\\u200D";

const TAKES_TONE_AND_GENDER =
  "⛹🏃🏄🏊🏋🏌👮👱👳👷💁💂💆💇🕵🙅🙆🙇🙋🙍🙎🚣🚴🚵🚶🤦🤷🤸🤹🤽🤾🦸🦹🧍🧎🧏🧖🧗🧘🧙🧚🧛🧜🧝";
const TAKES_GENDER = "👯🤼🧞🧟";
const TAKES_TONE =
  "👋🤚🖐✋🖖👌🤏✌🤞🤟🤘🤙👈👉👆🖕👇☝👍👎✊👊🤛🤜👏🙌👐🤲🙏✍💅🤳💪🦵🦶👂🦻👃👶🧒👦👧🧑👨🧔👩🧓👴👵" +
  "🤴👸👲🧕🤵👰🤰🤱👼🎅🤶💃🕺🕴🏇🏂🛀🛌👭👫👬";
const TOOLS = "🦰🦱🦳🦲🎓🏫🌾🍳🔧🏭💼🔬💻🎤🎨🚀🚒🦯🦼🦽";

const gendered =
  `(?:[${TAKES_TONE_AND_GENDER}]${TONE}|[⛹🏋🏌🕵]\\uFE0F|[${TAKES_TONE_AND_GENDER}${TAKES_GENDER}])${WITH}[♀♂]\\uFE0F?`;
const atWork = `[👨👩]${TONE}?${WITH}(?:[${TOOLS}]|[⚕⚖✈]\\uFE0F?)`;
const couple = `(?:👩${WITH}${HEART}${WITH}(?:💋${WITH})?[👨👩]|👨${WITH}${HEART}${WITH}(?:💋${WITH})?👨)`;
const children = `(?:👧(?:${WITH}[👦👧])?|👦(?:${WITH}👦)?)`;
const family = `(?:👨${WITH}👨|[👨👩]${WITH}👩|[👨👩])${WITH}${children}`;
const animalOrFlag = `🐕${WITH}🦺|👁\\uFE0F?${WITH}🗨\\uFE0F?|🏳\\uFE0F?${WITH}🌈|🏴${WITH}☠\\uFE0F?`;
const flag = "(?!🇨🇶)\\p{RGI_Emoji_Flag_Sequence}|\\p{RGI_Emoji_Tag_Sequence}"; // Sark's is of Emoji 16
const keycap = "[0-9#*]\\uFE0F?\\u20E3";
const toned = `[${TAKES_TONE_AND_GENDER}${TAKES_TONE}]${TONE}`;
const asEmoji = "[\\p{Emoji}--\\p{Emoji_Presentation}--[0-9#*⚧]]\\uFE0F";
const LIGHT_ON_THEIR_OWN = "[©®]"; // as emoji they weigh 2 like all others, as letters they would weigh 1

const sequences = [
  family,
  couple,
  ...holdingHands(),
  atWork,
  gendered,
  animalOrFlag,
  flag,
  keycap,
  toned,
  asEmoji,
  LIGHT_ON_THEIR_OWN,
];

/** Finds each emoji that weighs 2 as a whole, but not those of one character that weighs 2 anyway. */
export const EMOJI = new RegExp(sequences.join("|"), "gv");

// Of two women, two men or two people the darker comes first; the same tone for both is one character, but for people.
function holdingHands() {
  const hand = `${WITH}🤝${WITH}`;
  const tones = ["🏻", "🏼", "🏽", "🏾", "🏿"];
  const pairs = tones.flatMap((tone, index) => {
    const lighter = tones.slice(0, index).join("");
    const twoAlike = (person) => `${person}${tone}${hand}${person}[${lighter}]`;
    return [...(lighter ? [twoAlike("👩"), twoAlike("👨")] : []), `🧑${tone}${hand}🧑[${lighter}${tone}]`];
  });
  return [...pairs, `👩(${TONE})${hand}👨(?!\\1)${TONE}`, `🧑${hand}🧑`];
}
