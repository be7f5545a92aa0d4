// Creates elements. Texts stay texts: nothing here, or anywhere in the page, parses HTML.

const PROPERTIES = new Set(["value", "checked", "selected", "disabled", "open", "indeterminate"]);

/**
 * Create an element: h("a", {href: "#/", onclick: listener}, "text", other, [more], null).
 * Attributes that are null, undefined or false are left out.
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || (value === false && !PROPERTIES.has(key))) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (!PROPERTIES.has(key)) element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, children);
  // After the children, since the value of a select is that of one of its options.
  for (const key of PROPERTIES) {
    if (attributes[key] !== undefined && attributes[key] !== null) element[key] = attributes[key];
  }
  return element;
}

export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export function replaceContent(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

// Controls, marks of direction, and characters without a width, which can make a text look like another.
export const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Return a text from elsewhere with its invisible characters written out, such as \u{202e}. */
export function visible(text) {
  return String(text).replace(INVISIBLE, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
}

/** A name, path, branch or other text from elsewhere; its direction does not affect what is around it. */
export function foreign(text, attributes = {}) {
  return h("bdi", attributes, visible(text));
}

export function code(text, attributes = {}) {
  return h("code", { dir: "ltr", ...attributes }, visible(text));
}

let last = 0;

/** Return an id that no other element has. */
export function newId() {
  last += 1;
  return `e${last}`;
}
