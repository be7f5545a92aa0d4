// Numbers and times in the reader's language and time zone.

import { h } from "./dom.js";

const numbers = new Intl.NumberFormat();
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const LENGTHS = [
  ["year", 365 * 86_400, 2],
  ["month", 30 * 86_400, 2],
  ["day", 86_400, 1],
  ["hour", 3_600, 1],
  ["minute", 60, 1],
];
const DAYS_IN_WORDS = 30;

export const number = (value) => numbers.format(value);

/** Return a time element: "3 hours ago", or the date when it is long ago; exact as its title. */
export function when(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return h("span", {}, "–");
  return h("time", { datetime: text, title: exact.format(date) }, words(date));
}

/** Return a time element that says how long ago it was: "3 days"; the exact time is its title. */
export function since(text) {
  const date = new Date(text);
  return h("time", { datetime: text, title: exact.format(date) }, length((Date.now() - date.getTime()) / 1000));
}

/** Return a duration in its largest unit, such as "3 days"; less than a minute counts as one. */
function length(seconds) {
  const [unit, size] = LENGTHS.find(([, size, least]) => seconds >= size * least) ?? LENGTHS.at(-1);
  const options = { style: "unit", unit, unitDisplay: "long" };
  return new Intl.NumberFormat(undefined, options).format(Math.max(1, Math.trunc(seconds / size)));
}

function words(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  if (Math.abs(seconds) > DAYS_IN_WORDS * 86_400) return moments.format(date);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, "second");
}

export const moment = (text) => moments.format(new Date(text));

/** Return a duration in seconds as minutes and seconds, such as 14:05. */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
