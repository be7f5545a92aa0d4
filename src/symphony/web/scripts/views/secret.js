// A token that is shown only once.

import { button, copyButton } from "../components/button.js";
import { openDialog } from "../components/dialog.js";
import { h } from "../dom.js";
import { texts } from "../texts.js";

const words = texts.secret;

/** Show a secret with a button that copies it, and `below` it how it is used, until the reader has closed the dialog. */
export function showSecret({ title, text, secret, below }) {
  return openDialog({
    title,
    canClose: false, // a key pressed by mistake would lose it
    content: (close) => [
      h("p", {}, text),
      h("p", {}, words.once),
      h("div", { class: "command" }, h("code", { tabindex: "0", role: "group", "aria-label": words.label, class: "secret" }, secret), copyButton(secret, words.label)),
      below,
      h("div", { class: "actions" }, button(words.done, () => close(true), { class: "primary" })),
    ],
  });
}
