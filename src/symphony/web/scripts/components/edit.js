// Creating and changing a resource in a dialog. When another editor was faster, both states are shown.

import { Problem, get, newIdempotencyKey, patch, post } from "../api.js";
import { h, replaceContent } from "../dom.js";
import { texts } from "../texts.js";
import { button } from "./button.js";
import { comparison, valuesOf } from "./comparison.js";
import { openDialog } from "./dialog.js";
import { form } from "./form.js";
import { isObject, mergePatch, mergeTexts } from "./json_object.js";

/**
 * Return a function that creates a resource with the values of a form, and resolves with it. `path` is where,
 * or a function that resolves with it; `onCreated` gets the resource and the values.
 */
export function creation({ path, toBody = (values) => values, onCreated, isSecret = false }) {
  let key = newIdempotencyKey();
  let sent = null;
  return async (values) => {
    const body = toBody(values);
    const address = typeof path === "string" ? path : await path(values);
    // A repetition after a lost answer creates nothing twice; another body is another creation.
    const sending = address + JSON.stringify(body);
    if (sent !== null && sent !== sending) key = newIdempotencyKey();
    sent = sending;
    const { data } = await post(address, body, isSecret ? {} : { key });
    await onCreated?.(data, values);
    return data;
  };
}

/** Create a resource. Resolves with it, or with undefined when the reader cancels; `others` are as in `creation`. */
export function createInDialog({ title, above, fields, submit, ...others }) {
  const create = creation(others);
  let dirty = () => false;
  return openDialog({
    title,
    isDirty: () => dirty(),
    content: (close, giveUp) => {
      const made = form({
        above,
        fields,
        submit,
        onCancel: giveUp,
        onSubmit: async (values) => close(await create(values)),
      });
      dirty = made.isDirty;
      return made.element;
    },
  });
}

/**
 * Change a resource, whose current state is loaded first. `fieldsOf` gets it and returns the fields;
 * `toBody` turns values into fields of the API; `request` sends them. Resolves with the new state, or
 * with undefined.
 */
export async function editInDialog({ title, path, fieldsOf, toBody = (values) => values, request = patch }) {
  const loaded = await get(path, { exact: true });
  let { etag } = loaded;
  let base = null; // the values that the reader started from
  let dirty = () => false;
  const conflict = h("div", {});
  return openDialog({
    title,
    isDirty: () => dirty(),
    content: (close, giveUp) => {
      const fields = fieldsOf(loaded.data);
      const save = async (values) => {
        const changed = changes(toBody(base), toBody(values));
        if (Object.keys(changed).length === 0) return close(loaded.data);
        try {
          close((await request(path, changed, { ifMatch: etag })).data);
        } catch (error) {
          if (!(error instanceof Problem && error.status === 412)) throw error;
          await showConflict(values);
          return false;
        }
      };
      const showConflict = async (mine) => {
        const now = await get(path, { exact: true });
        etag = now.etag;
        const theirs = valuesOf(fieldsOf(now.data));
        // Fields that only the other editor changed become theirs; the others stay as typed.
        const results = fields.map((field) => [field, merge(field, base, mine, theirs)]);
        const merged = Object.fromEntries(results.map(([{ name }, { value }]) => [name, value]));
        const clashes = results.filter(([, { isClash }]) => isClash).map(([field]) => field);
        base = theirs;
        made.fill(merged);
        const useTheirs = () => {
          made.fill(Object.fromEntries(clashes.map(({ name }) => [name, theirs[name]])));
          replaceContent(conflict);
        };
        replaceContent(conflict, conflictPanel(clashes, theirs, merged, useTheirs));
      };
      const made = form({ above: [conflict], fields, submit: texts.save, onSubmit: save, onCancel: giveUp });
      base = made.values();
      dirty = made.isDirty;
      return made.element;
    },
  });
}

/** Return {value, isClash} of a field that two editors may have changed. */
function merge({ name, type }, base, mine, theirs) {
  if (mine[name] === base[name]) return { value: theirs[name], isClash: false };
  if (type === "object") return mergeTexts(base[name], mine[name], theirs[name], name);
  return { value: mine[name], isClash: theirs[name] !== base[name] && theirs[name] !== mine[name] };
}

function conflictPanel(clashes, theirs, mine, useTheirs) {
  const words = texts.conflict;
  return h(
    "div",
    { class: "panel warning", role: "alert" },
    h("p", {}, words.text),
    clashes.length > 0 && comparison(clashes, [[words.theirs, theirs], [words.mine, mine]]),
    h("p", {}, clashes.length > 0 ? words.choose : words.merged),
    clashes.length > 0 && button(words.useTheirs, useTheirs),
  );
}

/** Return the members of `after` that differ from those of `before`; of an object only what differs in it. */
function changes(before, after) {
  return Object.fromEntries(
    Object.entries(after)
      .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]))
      .map(([name, value]) => [name, isObject(value) ? mergePatch(before[name], value, name) : value]),
  );
}
