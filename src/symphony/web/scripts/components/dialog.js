// Dialogs: the browser's own, which keep the focus inside and return it at the end.

import { h, newId } from "../dom.js";
import { texts } from "../texts.js";
import { button } from "./button.js";

/**
 * Open a modal dialog. `content` gets a function that closes it with a result, and returns what is
 * shown; `isDirty` says whether something typed would be lost. Resolves with the result, or with
 * undefined when the reader closes the dialog.
 */
export function openDialog({ title, content, isDirty = () => false, canClose = true }) {
  return new Promise((resolve) => {
    const id = newId();
    let result;
    const dialog = h("dialog", { "aria-labelledby": id });
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const giveUp = async () => {
      if (!isDirty() || (await confirmDiscard())) close(undefined);
    };
    dialog.append(
      h(
        "header",
        {},
        h("h2", { id }, title),
        canClose &&
          h("button", { type: "button", class: "close", "aria-label": texts.close, onclick: giveUp }, "×"),
      ),
      h("div", { class: "dialog-body" }, content(close, giveUp)),
    );
    dialog.addEventListener("cancel", (event) => {
      if (event.target !== dialog) return; // a file field, whose choice was given up or stayed the same
      event.preventDefault();
      if (canClose) giveUp();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector(".dialog-body :is(input, select)");
    first?.focus();
  });
}

/** Close all dialogs with what was typed into them, such as a secret. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/** Ask a question with a consequence. Resolves with whether the reader agrees. */
export async function confirm({ title, text, agree, cancel = texts.cancel, above = null, isDangerous = true }) {
  const answer = await openDialog({
    title,
    content: (close) => [
      above,
      h("div", {}, [text].flat().map((each) => h("p", {}, each))),
      h(
        "div",
        { class: "actions" },
        button(cancel, () => close(false), { autofocus: true }),
        button(agree, () => close(true), { class: isDangerous ? "danger" : "primary" }),
      ),
    ],
  });
  return answer === true;
}

function confirmDiscard() {
  return confirm({ title: texts.discard.title, text: texts.discard.text, agree: texts.discard.agree });
}
