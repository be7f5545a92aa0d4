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
const DAYS_IN_WORDS = 30;

export const number = (value) => numbers.format(value);

/** Return a time element: "3 hours ago", or the date when it is long ago; exact as its title. */
export function when(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return h("span", {}, "–");
  return h("time", { datetime: text, title: exact.format(date) }, words(date));
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
