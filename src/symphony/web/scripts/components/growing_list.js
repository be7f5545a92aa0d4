// A list that shows its first items at once and more when the reader comes near its end.
// So 5,000 items cost as much as 60, and all stay within reach of the keyboard.

import { h, replaceContent } from "../dom.js";
import { number } from "../format.js";
import { texts } from "../texts.js";

const STEP = 60;

/**
 * Create {element, show}. `show` replaces the items, which `render` turns into elements; with `isSame`
 * they are a newer state of the same list, so as many as before are shown, and the focus stays.
 */
export function growingList(render, attributes = {}) {
  const items = h("ul", attributes);
  const more = h("button", { type: "button", class: "more", onclick: () => grow() });
  const element = h("div", {}, items, more);
  let waiting = [];
  let shown = 0;

  const grow = (step = STEP) => {
    const next = waiting.slice(shown, shown + step);
    items.append(...next.map(render));
    shown += next.length;
    const rest = waiting.length - shown;
    more.hidden = rest === 0;
    more.textContent = texts.showMore(Math.min(rest, STEP), number(rest));
  };
  new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting) && shown < waiting.length) grow();
    },
    { rootMargin: "600px" },
  ).observe(more);

  return {
    element,
    show: (given, { isSame = false } = {}) => {
      const focused = items.contains(document.activeElement) && document.activeElement.hash;
      const step = isSame ? Math.max(shown, STEP) : STEP;
      waiting = given;
      shown = 0;
      replaceContent(items);
      grow(step);
      if (focused) [...items.querySelectorAll("a")].find((link) => link.hash === focused)?.focus();
    },
  };
}
