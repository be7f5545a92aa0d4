// The button beside a field for a secret, which shows what is typed.

import { texts } from "../texts.js";
import { button } from "./button.js";

/**
 * Return {element, hide} for an input with the type password, or a textarea, which has no such type and is
 * masked by its style. `labelId` tells screen readers which field the button is for.
 */
export function revealButton(control, labelId) {
  // While it is shown it is a text like any other, for which browsers may ask a spelling service.
  for (const [name, value] of [["spellcheck", "false"], ["autocapitalize", "none"], ["autocorrect", "off"]]) {
    control.setAttribute(name, value);
  }
  const show = (isShown) => {
    if (control.localName === "textarea") control.classList.toggle("masked", !isShown);
    else control.type = isShown ? "text" : "password";
    element.setAttribute("aria-pressed", String(isShown));
  };
  const element = button(texts.show, () => show(element.getAttribute("aria-pressed") === "false"), {
    "aria-pressed": "false",
    "aria-controls": control.id,
    "aria-describedby": labelId,
  });
  show(false);
  return { element, hide: () => show(false) };
}
