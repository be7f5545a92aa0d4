// The button beside a password field that shows what is typed.

import { texts } from "../texts.js";
import { button } from "./button.js";

/** Return {element, hide}; `labelId` tells screen readers which field the button is for. */
export function revealButton(control, labelId) {
  // While it is shown it is a text like any other, for which browsers may ask a spelling service.
  for (const [name, value] of [["spellcheck", "false"], ["autocapitalize", "none"], ["autocorrect", "off"]]) {
    control.setAttribute(name, value);
  }
  const show = (isShown) => {
    control.type = isShown ? "text" : "password";
    element.setAttribute("aria-pressed", String(isShown));
  };
  const element = button(texts.show, () => show(control.type === "password"), {
    "aria-pressed": "false",
    "aria-controls": control.id,
    "aria-describedby": labelId,
  });
  return { element, hide: () => show(false) };
}
