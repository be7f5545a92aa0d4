// Numbers in texts.

const rules = new Intl.PluralRules("en");

export const numbers = new Intl.NumberFormat();

/** Return "1 file" or "2 files". */
export function count(value, one, other) {
  return `${numbers.format(value)} ${rules.select(value) === "one" ? one : other}`;
}
