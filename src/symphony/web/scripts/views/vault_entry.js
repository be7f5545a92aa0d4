// One entry of a vault: its content, and the dialog in which it is written. A text is shown and typed;
// a file is bytes, which are uploaded and downloaded, and never shown as text.

import { Problem } from "../api.js";
import { button } from "../components/button.js";
import { openDialog } from "../components/dialog.js";
import { download, inBase64 } from "../components/files.js";
import { form } from "../components/form.js";
import { invalidField } from "../components/json_object.js";
import { h, replaceContent, visible } from "../dom.js";
import { number } from "../format.js";
import { texts } from "../texts.js";

const words = texts.entries;
const MOST_BYTES = 256 * 1024; // of a content, as the service accepts it

/** Show a text; of a file its type and size, with a button that downloads it. */
export function contentOf(key, { content, encoding, size, content_type: type }) {
  return encoding === "base64"
    ? h("p", {}, words.binary(visible(type), number(size)), " ", button(words.download, () => download(content, fileName(key)), { class: "small" }))
    : h("pre", { class: "content", tabindex: "0", role: "group", "aria-label": words.content }, content);
}

/** Return the last part of a key, as the name of a file. */
export function fileName(key) {
  return visible(key.split("/").at(-1));
}

/** Open a dialog with the form of an entry, which `given` is for. */
export function editEntry({ onSaved, ...given }) {
  const { entry, kind } = given;
  let dirty = () => false;
  return openDialog({
    title: entry ? words.edit : kind === "file" ? words.upload : words.add,
    isDirty: () => dirty(),
    content: (close, giveUp) => {
      const made = entryForm({
        ...given,
        onCancel: giveUp,
        onSaved: () => {
          close(true);
          onSaved();
        },
      });
      dirty = made.isDirty;
      return made.element;
    },
  });
}

/**
 * Create the form that adds an entry of a kind (text or file) under a key that is not `taken`, or with `entry`
 * saves another version of one.
 */
export function entryForm({ above, call, kind, entry = null, taken = new Set(), onCancel, onSaved }) {
  let etag = entry?.etag;
  const conflict = h("div", {});
  const made = form({
    above: [above, conflict, kind === "file" && entry !== null && contentOf(entry.key, entry.data)],
    fields: fieldsOf(kind, entry, () => made),
    submit: texts.save,
    onCancel,
    onSubmit: async ({ key, content }) => {
      if (taken.has(key)) throw invalidField("key", words.taken);
      const body = kind === "file" ? await fileBody(content) : { content, content_type: entry?.data.content_type };
      try {
        await call.save(key, body, etag);
      } catch (error) {
        if (!(error instanceof Problem && error.status === 412)) throw error;
        const now = await call.read(key);
        etag = now.etag;
        replaceContent(conflict, h("div", { class: "panel warning", role: "alert" }, h("p", {}, words.conflict), contentOf(key, now.data)));
        return false;
      }
      onSaved();
    },
  });
  return made;
}

function fieldsOf(kind, entry, made) {
  const key = { name: "key", label: words.key, hint: words.keyHint, value: entry?.key ?? "", readonly: entry !== null, autofocus: kind === "text" && entry === null, required: true, autocomplete: "off", spellcheck: "false" };
  if (kind === "text") {
    return [key, { name: "content", label: words.content, type: "secret", value: entry?.data.content ?? "", autocomplete: "off", spellcheck: "false" }];
  }
  const file = { name: "content", label: words.file, type: "file", hint: words.fileHint, required: true };
  // The name of the file is a first proposal for the key.
  const onchange = ({ target }) => {
    const [chosen] = target.files;
    if (chosen && made().values().key === "") made().fill({ key: chosen.name });
  };
  return entry === null ? [{ ...file, onchange }, key] : [key, file];
}

async function fileBody(file) {
  if (file.size > MOST_BYTES) throw invalidField("content", words.tooLarge(number(file.size)));
  try {
    return { content: await inBase64(file), encoding: "base64", content_type: file.type || "application/octet-stream" };
  } catch {
    throw invalidField("content", words.unreadable); // it was moved or changed after it was chosen
  }
}
