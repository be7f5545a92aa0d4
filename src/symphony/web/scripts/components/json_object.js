// Objects that belong to programs, such as the settings of a workspace: shown and changed as JSON.
// Changes are merge patches (RFC 7396), so that those of several editors and programs are all kept.

import { Problem, parseExactly } from "../api.js";
import { h, INVISIBLE } from "../dom.js";
import { texts } from "../texts.js";

const words = texts.jsonObject;

/** A field of a form; its text becomes an object by `parseObject`. */
export function objectField({ name, label, value }) {
  return { name, label, type: "object", value: objectText(value), hint: words.hint, spellcheck: "false", autocomplete: "off" };
}

/** Show an object, or that it is empty. */
export function objectPanel(value, label) {
  if (Object.keys(value).length === 0) return h("p", { class: "hint" }, words.empty);
  return h("pre", { class: "content", tabindex: "0", role: "group", "aria-label": label }, objectText(value));
}

/** The same, closed at first, for a page that is about something else; nothing for an empty object. */
export function objectDetails(value, label) {
  if (Object.keys(value).length === 0) return null;
  return h("details", {}, h("summary", {}, label), objectPanel(value, label));
}

/** Return an object as JSON; its invisible characters are escaped, which leaves their meaning. */
export function objectText(value) {
  return JSON.stringify(value, null, 2).replace(INVISIBLE, (sign) =>
    sign === "\n" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Return the object that was typed into the field `name`. Throws: Problem, which names the field. */
export function parseObject(name, text) {
  let value;
  try {
    value = text.trim() === "" ? {} : parseExactly(text);
  } catch (error) {
    throw invalidField(name, words.notJson(error.message));
  }
  if (!isObject(value)) throw invalidField(name, words.notAnObject);
  return value;
}

/** The problem of a field, as the service reports it. */
export function invalidField(name, detail) {
  return new Problem(422, { errors: [{ pointer: `/${name}`, detail }] });
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON?.(value);
}

/** Return the patch that turns one object into another. Throws: Problem: a patch cannot add null. */
export function mergePatch(before, after, field) {
  const patch = Object.create(null); // in which `__proto__` is a name like any other
  for (const name of Object.keys(before)) {
    if (!Object.hasOwn(after, name)) patch[name] = null;
  }
  for (const [name, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    if (isSame(old, value)) continue;
    if (value === null) throw invalidField(field, words.noNull(name));
    patch[name] = isObject(value) ? mergePatch(isObject(old) ? old : {}, value, field) : value;
  }
  return patch;
}

/**
 * Merge the texts of two editors who began with `base`. Returns {value, isClash}: where both changed
 * the same member in different ways, it has the value of `mine`.
 */
export function mergeTexts(base, mine, theirs, field) {
  const [from, my, their] = [base, mine, theirs].map((text) => parseObject(field, text));
  const merged = applyPatch(their, mergePatch(from, my, field));
  const reversed = applyPatch(my, mergePatch(from, their, field));
  return { value: objectText(merged), isClash: !isSame(merged, reversed) };
}

function applyPatch(target, patch) {
  const result = Object.assign(Object.create(null), target);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = isObject(value) ? applyPatch(isObject(result[name]) ? result[name] : {}, value) : value;
  }
  return result;
}

function isSame(one, other) {
  return JSON.stringify(inOrder(one)) === JSON.stringify(inOrder(other));
}

function inOrder(value) {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, inOrder(value[name])]));
}
