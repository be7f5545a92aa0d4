// Buttons: plain ones, and those that copy a text.

import { h } from "../dom.js";
import { texts } from "../texts.js";
import { announce } from "./notices.js";

export function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", ...attributes, onclick }, label);
}

/** A button that copies a text; `named` says to screen readers which one. */
export function copyButton(text, named) {
  return button(texts.copy, () => copyText(text), {
    class: "copy small",
    "aria-label": `${texts.copy}: ${named}`,
  });
}

/** Copy a text and say whether the browser allowed it. */
export async function copyText(text) {
  announce((await copy(text)) ? texts.copied : texts.notCopied);
}

/** A command with a button that copies it. */
export function command(text, shown = text) {
  return h(
    "div",
    { class: "command" },
    h("code", { dir: "ltr", tabindex: "0", role: "group", "aria-label": texts.command }, shown),
    copyButton(text, shown),
  );
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Browsers offer the clipboard on HTTPS and localhost only; this works everywhere. */
function copyBySelection(text) {
  const place = document.querySelector("dialog[open]:last-of-type") ?? document.body;
  const focused = document.activeElement;
  const area = h("textarea", { class: "visually-hidden", value: text, readonly: true, "aria-hidden": "true" });
  place.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}
