// The entries of an open vault: show, copy, add, change, delete, and their versions.
// A content is loaded when it is shown or downloaded, and leaves the page with its row.

import { Problem, get, list, post, put, remove } from "../api.js";
import { button, copyText } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { openDialog } from "../components/dialog.js";
import { download } from "../components/files.js";
import { announce, attempt, loaded } from "../components/notices.js";
import { foreign, h, replaceContent, visible } from "../dom.js";
import { number, when } from "../format.js";
import { may } from "../session.js";
import { texts } from "../texts.js";
import { contentOf, editEntry, entryForm, fileName } from "./vault_entry.js";

const words = texts.entries;

/** `headers` open the vault; `onLocked` is called when they do not any more. */
export function entriesPanel(vault, headers, onLocked, signal, movesFocus) {
  const place = h("div", {});
  const call = callsOf(vault, headers, onLocked, signal);
  const show = (entries, focuses) => {
    if (focuses) queueMicrotask(() => place.querySelector("[autofocus], .primary")?.focus()); // when it is on the page
    return panel(entries, call, load);
  };
  const load = ({ focuses = false } = {}) =>
    replaceContent(place, loaded(call.list, (entries) => show(entries, focuses), signal));
  load({ focuses: movesFocus });
  return place;
}

/** The requests for entries. An answer that the vault is locked closes it on the page as well. */
function callsOf({ id }, headers, onLocked, signal) {
  const guarded = (request) => async (...given) => {
    try {
      return await request(...given);
    } catch (error) {
      if (error instanceof Problem && error.status === 423) onLocked();
      throw error;
    }
  };
  const of = (kind, key) => `/vaults/${id}/${kind}/${key.split("/").map(encodeURIComponent).join("/")}`;
  return {
    list: guarded(() => list(`/vaults/${id}/entries`, { headers, signal })),
    read: guarded((key, version) => get(of("entries", key), { headers, signal, query: { version } })),
    save: guarded((key, body, ifMatch) => put(of("entries", key), body, { headers, ifMatch })),
    remove: guarded((key, ifMatch) => remove(of("entries", key), { headers, ifMatch })),
    versions: guarded(async (key) => (await get(of("versions", key), { headers, signal })).data.items),
    restore: guarded((key, version) => post(of("restore", key), { version }, { headers })),
  };
}

function panel(entries, call, load) {
  const add = (kind) => editEntry({ call, kind, taken: new Set(entries.map(({ key }) => key)), onSaved: afterSaving(load) });
  const addFirst = () => entryForm({ above: h("p", {}, words.first), call, kind: "text", onSaved: afterSaving(() => load({ focuses: true })) });
  const isFirst = entries.length === 0 && may("write");
  return [
    h(
      "div",
      { class: "title-row" },
      h("h2", {}, words.title),
      may("write") && [
        !isFirst && button(words.add, () => add("text"), { class: "primary" }),
        button(words.upload, () => add("file")),
      ],
    ),
    isFirst && h("section", { class: "panel" }, addFirst().element),
    entries.length === 0
      ? !isFirst && h("p", { class: "panel" }, words.none)
      : h("ul", { class: "rows" }, entries.map((entry) => row(entry, call, load))),
  ];
}

function afterSaving(load) {
  return () => {
    announce(words.saved);
    load();
  };
}

function row(listed, call, load) {
  const { key, size, version, encoding, content_type: type, created_at: createdAt } = listed;
  const isFile = encoding === "base64";
  const shown = h("div", { class: "revealed" });
  const named = (label, act, attributes = {}) =>
    button(label, attempt(act), { class: "small", ...attributes, "aria-label": `${label}: ${visible(key)}` });
  return h(
    "li",
    {},
    h("span", { "data-row": true, tabindex: "-1" }, foreign(key)),
    h("span", { class: "hint" }, isFile && `${visible(type)}, `, words.facts(size, version), " ", when(createdAt)),
    h(
      "span",
      { class: "row-actions" },
      isFile
        ? named(words.download, async () => download((await call.read(key)).data.content, fileName(key)))
        : [
            revealing(shown, key, visible(key), () => call.read(key)),
            named(texts.copy, async () => copyText((await call.read(key)).data.content)),
          ],
      named(words.versions, () => showVersions(key, call, load)),
      may("write") && [
        named(texts.edit, async () => {
          const entry = await call.read(key);
          const kind = entry.data.encoding === "base64" ? "file" : "text";
          editEntry({ call, kind, entry: { key, ...entry }, onSaved: afterSaving(load) });
        }),
        named(texts.delete, async () => {
          const isDeleted = await deleteSeen({
            seen: listed,
            load: () => call.read(key),
            fieldsOf: factsOf,
            question: () => ({ title: words.deleteTitle(visible(key)), text: [words.deleteText], agree: words.delete }),
            request: (ifMatch) => call.remove(key, ifMatch),
          });
          if (!isDeleted) return;
          announce(words.deleted);
          load();
        }, { class: "small danger" }),
      ],
    ),
    shown,
  );
}

/** What tells one state of an entry from another, without its content. */
function factsOf({ version, size, content_type: type }) {
  return [
    { name: "version", label: words.version, value: number(version) },
    { name: "size", label: words.size, value: number(size) },
    { name: "type", label: words.type, value: type },
  ];
}

/** A button that shows in `place` what `read` returns of an entry, or hides it; `named` says to screen readers what. */
function revealing(place, key, named, read) {
  const label = () => {
    const text = place.firstChild ? words.hide : texts.show;
    element.textContent = text;
    element.setAttribute("aria-label", `${text}: ${named}`);
  };
  const element = button("", attempt(async () => {
    if (place.firstChild) place.replaceChildren();
    else place.append(contentOf(key, (await read()).data));
    label();
  }), { class: "small" });
  label();
  return element;
}

function showVersions(key, call, load) {
  return openDialog({
    title: words.versionsTitle(visible(key)),
    content: (close) =>
      loaded(
        () => call.versions(key),
        (versions) => h("ul", { class: "rows" }, versions.map((each, index) => versionRow(key, each, index === 0, call, () => {
          close(true);
          load();
        }))),
      ),
  });
}

function versionRow(key, { version, size, created_at: createdAt }, isNewest, call, onRestored) {
  const shown = h("div", { class: "revealed" });
  return h(
    "li",
    {},
    h("span", {}, words.facts(size, version), " ", when(createdAt)),
    h(
      "span",
      { class: "row-actions" },
      revealing(shown, key, words.versionOf(version), () => call.read(key, version)),
      !isNewest && may("write") && button(words.restore, attempt(async () => {
        await call.restore(key, version);
        announce(words.restored(version));
        onRestored();
      }), { class: "small", "aria-label": words.restoreVersion(version) }),
    ),
    shown,
  );
}
