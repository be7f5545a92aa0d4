// Deleting what the reader has seen, and nothing newer. When another editor was faster, the question
// says what has changed.

import { Problem } from "../api.js";
import { h } from "../dom.js";
import { texts } from "../texts.js";
import { comparison, valuesOf } from "./comparison.js";
import { confirm, openDialog } from "./dialog.js";
import { form } from "./form.js";
import { invalidField } from "./json_object.js";

const words = texts.deletion;

/**
 * Ask, and delete. `seen` is the state on the page, `load` gets the current {data, etag}, `fieldsOf`
 * turns a state into fields to compare. `question` gets the state and returns {title, text, agree};
 * with `typed`, the reader has to type this text. `request` gets the tag of the state to delete.
 * Resolves with whether it was deleted. Throws: what `load` and `request` throw, except a 412.
 */
export async function deleteSeen({ seen, load, fieldsOf, question, request }) {
  let before = fieldsOf(seen);
  let isAgreed = false;
  for (;;) {
    const { data, etag } = await load();
    const now = fieldsOf(data);
    const changed = changedFields(before, now);
    if (!isAgreed || changed.length > 0) {
      if (!(await ask(await question(data), conflictOf(changed, before, now)))) return false;
    }
    isAgreed = true;
    before = now;
    try {
      await request(etag);
      return true;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 412)) throw error;
    }
  }
}

function changedFields(before, now) {
  const [old, current] = [valuesOf(before), valuesOf(now)];
  return now.filter(({ name }) => old[name] !== current[name]);
}

function conflictOf(changed, before, now) {
  if (changed.length === 0) return null;
  return h(
    "div",
    { class: "panel warning", role: "alert" },
    h("p", {}, words.changed),
    comparison(changed, [[words.seen, valuesOf(before)], [words.now, valuesOf(now)]]),
  );
}

function ask({ title, text, agree, typed }, conflict) {
  const labels = conflict === null ? { agree } : { agree: words.anyway, cancel: words.keep };
  if (typed === undefined) return confirm({ title, text, above: conflict, ...labels });
  return openDialog({
    title,
    content: (close) =>
      form({
        above: [conflict, text.map((each) => h("p", {}, each))],
        fields: [{ name: "typed", label: typed.label, required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }],
        submit: labels.agree,
        cancel: labels.cancel,
        isDangerous: true,
        onCancel: () => close(false),
        onSubmit: async (values) => {
          if (values.typed.trim() !== typed.text) throw invalidField("typed", typed.mismatch);
          close(true);
        },
      }).element,
  });
}
