// What happened: short notices, errors with what can be done, and placeholders while something loads.

import { Problem, SignedOut, Unreachable } from "../api.js";
import { h, replaceContent } from "../dom.js";
import { number } from "../format.js";
import { texts } from "../texts.js";

const SHOWN_FOR = 6_000; // milliseconds
const place = h("div", { class: "notices", role: "status", "aria-live": "polite" });

/** Show a short notice, which screen readers read. */
export function announce(text, { isError = false } = {}) {
  // A modal dialog makes everything else inert, so the notice has to be inside of it.
  (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(place);
  const notice = h("p", { class: isError ? "notice error" : "notice" }, text);
  place.append(notice);
  setTimeout(() => notice.remove(), isError ? 3 * SHOWN_FOR : SHOWN_FOR);
}

/** Return what an error means for the reader. */
export function describe(error) {
  if (error instanceof Unreachable) return texts.errors.unreachable;
  if (error instanceof SignedOut) return texts.errors.signedOut;
  if (!(error instanceof Problem)) return texts.errors.unexpected;
  if (error.status === 503 || error.status === 429) {
    const seconds = error.retryAfter === null ? "" : ` ${texts.errors.retryIn(number(error.retryAfter))}`;
    return `${error.message}${seconds}`;
  }
  return texts.errors.codes[error.code] ?? error.message;
}

/** An error with a button that tries again. */
export function errorPanel(error, retry) {
  return h(
    "div",
    { class: "panel error", role: "alert" },
    h("p", {}, describe(error)),
    retry && h("button", { type: "button", onclick: retry }, texts.retry),
  );
}

export function loading(text = texts.loading) {
  return h("p", { class: "loading", role: "status" }, text);
}

/** An element that shows what `load` returns, a placeholder until then, and an error with a retry. */
export function loaded(load, show, signal) {
  const element = h("div", {});
  const run = async () => {
    element.replaceChildren(loading());
    try {
      const content = show(await load());
      if (!signal?.aborted) replaceContent(element, content);
    } catch (error) {
      if (signal?.aborted) return;
      if (!isExpected(error)) throw error;
      element.replaceChildren(errorPanel(error, run));
    }
  };
  run();
  return element;
}

/** Whether an error comes from a request, not from a mistake in this page. */
export function isExpected(error) {
  return error instanceof Problem || error instanceof Unreachable || error instanceof SignedOut;
}

/** Return a listener that runs `action`, and shows what fails as a notice. */
export function attempt(action) {
  return async () => {
    try {
      await action();
    } catch (error) {
      if (!isExpected(error)) throw error;
      announce(describe(error), { isError: true });
    }
  };
}
