// Forms: labels, hints, errors beside their fields, and nothing typed is ever lost.

import { Problem } from "../api.js";
import { h, newId } from "../dom.js";
import { texts } from "../texts.js";
import { button } from "./button.js";
import { describe, isExpected } from "./notices.js";
import { revealButton } from "./reveal.js";

/**
 * Create a form. Each field has a `name` and a `label`, and optionally `type` (text, email, password,
 * number, textarea, secret (masked, several lines), object, file, select, checks), `value`, `hint`, `options`
 * ([value, label]), `autocomplete` and
 * other attributes; `isOptional` is said at the label, `folded` is the text behind which the field is folded,
 * and with `follows` ({name, as}) it has a value that is derived from another field until the reader changes it.
 * `onSubmit` gets the values; what it throws is shown at the field or above the buttons, and with false it says
 * that nothing has been saved yet.
 * Returns {element, values, fill, isDirty}.
 */
export function form({ fields, submit, onSubmit, onCancel, cancel = texts.cancel, above = [], isDangerous = false }) {
  const inputs = new Map(fields.map((field) => [field.name, input(field)]));
  for (const { name, follows } of fields) {
    if (follows) follow(inputs.get(name), inputs.get(follows.name), follows.as);
  }
  const error = h("div", { class: "form-error", role: "alert" });
  const send = h("button", { type: "submit", class: isDangerous ? "danger" : "primary" }, submit);
  const values = () => Object.fromEntries([...inputs].map(([name, each]) => [name, each.value()]));
  let initial = JSON.stringify(values());
  let isSending = false;

  const showError = (problem) => {
    if (!isExpected(problem)) throw problem;
    const others = [];
    let first = null;
    for (const { name, text } of fieldErrors(problem)) {
      const place = inputs.get(name);
      if (place === undefined) others.push(text);
      else place.fail(text);
      first ??= place;
    }
    if (first === null || others.length > 0) error.append(h("p", {}, [...others, ""][0] || describe(problem)));
    (first?.control ?? send).focus();
  };

  const element = h(
    "form",
    {
      method: "post",
      novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        if (isSending) return;
        error.replaceChildren();
        for (const each of inputs.values()) {
          each.fail(null);
          each.hide();
        }
        const missing = [...inputs.values()].filter((each) => each.isMissing());
        for (const each of missing) each.fail(texts.required(each.label));
        if (missing.length > 0) return missing[0].control.focus();
        isSending = true;
        send.setAttribute("aria-disabled", "true");
        send.textContent = texts.sending;
        try {
          const isSaved = (await onSubmit(values())) !== false;
          if (isSaved) initial = JSON.stringify(values());
        } catch (problem) {
          showError(problem);
        } finally {
          isSending = false;
          send.removeAttribute("aria-disabled");
          send.textContent = submit;
        }
      },
    },
    above,
    folding(fields, inputs),
    error,
    h("div", { class: "actions" }, onCancel && button(cancel, onCancel), send),
  );
  return {
    element,
    values,
    isDirty: () => JSON.stringify(values()) !== initial,
    fill: (given) => {
      for (const [name, value] of Object.entries(given)) inputs.get(name)?.set(value);
    },
  };
}

/** Return the elements of the fields; those in a row that are folded behind the same text are folded together. */
function folding(fields, inputs) {
  let open = null;
  return fields.map(({ name, folded }) => {
    const { element } = inputs.get(name);
    if (!folded) open = null;
    if (!folded) return element;
    const isNew = open?.text !== folded;
    if (isNew) open = { text: folded, element: h("details", {}, h("summary", {}, folded)) };
    open.element.append(element);
    return isNew && open.element;
  });
}

/** Return {name, text} of each error; the name of a field is the first step of its pointer. */
function fieldErrors(problem) {
  if (!(problem instanceof Problem)) return [];
  const taken = /^(?:\w+-)?(name|username|email)-taken$/.exec(problem.code);
  if (problem.errors.length === 0 && taken) return [{ name: taken[1], text: describe(problem) }];
  if (problem.code === "wrong-passphrase") return [{ name: "passphrase", text: describe(problem) }];
  return problem.errors.map((each) => ({
    name: (each.pointer ?? "").split("/")[1] ?? "",
    text: each.detail,
  }));
}

/** Give a field a value that is derived from that of another one, until the reader has typed a value. */
function follow({ control }, source, as) {
  let isFollowing = control.value === as(source.value());
  control.addEventListener("input", () => (isFollowing = control.value === ""));
  source.control.addEventListener("input", () => {
    if (isFollowing) control.value = as(source.value());
  });
}

function input(field) {
  const { name, label, hint, type = "text", options, value, isOptional, follows, folded, ...others } = field;
  const id = newId();
  const labelId = `${id}l`;
  const hintId = `${id}h`;
  const errorId = `${id}e`;
  const error = h("p", { id: errorId, class: "field-error" });
  const shared = {
    id,
    name,
    "aria-describedby": [hint && hintId, errorId].filter(Boolean).join(" "),
    ...others,
  };
  const { control, value: read, set } = newControl(type, { shared, options, value, label });
  const isGroup = type === "checks";
  const reveal = type === "password" || type === "secret" ? revealButton(control, labelId) : null;
  return {
    label,
    control: isGroup ? control.querySelector("input") : control,
    element: h(
      "div",
      { class: "field" },
      !isGroup && h("label", { id: labelId, for: id }, label, isOptional && h("span", { class: "optional" }, ` ${texts.optional}`)),
      reveal === null ? control : h("div", { class: "revealable" }, control, reveal.element),
      hint && h("p", { id: hintId, class: "hint" }, hint),
      error,
    ),
    value: read,
    set,
    isMissing: () => Boolean(others.required) && ["", null].includes(read()),
    hide: () => reveal?.hide(),
    fail: (text) => {
      error.textContent = text ?? "";
      if (text === null) control.removeAttribute("aria-invalid");
      else control.setAttribute("aria-invalid", "true");
      if (text !== null) control.closest("details")?.setAttribute("open", "");
    },
  };
}

function newControl(type, { shared, options, value, label }) {
  if (type === "checks") return checks({ shared, options, value: value ?? [], label });
  if (type === "file") {
    const control = h("input", { type, ...shared });
    return { control, value: () => control.files[0] ?? null, set: () => {} };
  }
  const control =
    type === "select"
      ? h("select", { ...shared, value }, options.map(([each, words]) => h("option", { value: each }, words)))
      : ["textarea", "secret", "object"].includes(type)
        ? h("textarea", { rows: type === "object" ? "8" : "4", class: type === "object" && "json", ...shared, value: value ?? "" })
        : h("input", { type, ...shared, value: value ?? "" });
  return { control, value: () => control.value, set: (given) => (control.value = given ?? "") };
}

function checks({ shared, options, value, label }) {
  const boxes = options.map(([each, words, help]) => ({
    each,
    box: h("input", { type: "checkbox", value: each, checked: value.includes(each) }),
    words,
    help,
  }));
  const { id, "aria-describedby": describedBy } = shared;
  const control = h(
    "fieldset",
    { id, "aria-describedby": describedBy },
    h("legend", {}, label),
    boxes.map(({ box, words, help }) =>
      h("label", { class: "check" }, box, h("span", {}, words, help && h("small", {}, help))),
    ),
  );
  return {
    control,
    value: () => boxes.filter(({ box }) => box.checked).map(({ each }) => each),
    set: (given) => {
      for (const { box, each } of boxes) box.checked = given.includes(each);
    },
  };
}
