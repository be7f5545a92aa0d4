// The entries of an open vault: show, copy, add, change, delete, and their versions.
// A content is loaded when it is shown, and leaves the page with its row.

import { Problem, get, list, post, put, remove } from "../api.js";
import { button, copyText } from "../components/button.js";
import { confirm, openDialog } from "../components/dialog.js";
import { form } from "../components/form.js";
import { announce, attempt, loaded } from "../components/notices.js";
import { foreign, h, replaceContent, visible } from "../dom.js";
import { number, when } from "../format.js";
import { may } from "../session.js";
import { texts } from "../texts.js";

const words = texts.entries;

/** `headers` open the vault; `onLocked` is called when they do not any more. */
export function entriesPanel(vault, headers, onLocked, signal, movesFocus) {
  const place = h("div", {});
  const call = callsOf(vault, headers, onLocked, signal);
  const show = (entries) => panel(entries, call, load);
  const load = () => replaceContent(place, loaded(call.list, show, signal));
  const showFirst = (entries) => {
    queueMicrotask(() => place.querySelector(".primary")?.focus()); // when it is on the page
    return show(entries);
  };
  if (movesFocus) replaceContent(place, loaded(call.list, showFirst, signal));
  else load();
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
    remove: guarded((key) => remove(of("entries", key), { headers })),
    versions: guarded(async (key) => (await get(of("versions", key), { headers, signal })).data.items),
    restore: guarded((key, version) => post(of("restore", key), { version }, { headers })),
  };
}

function panel(entries, call, load) {
  return [
    h(
      "div",
      { class: "title-row" },
      h("h2", {}, words.title),
      may("write") && button(words.add, () => edit(call, null, new Set(entries.map(({ key }) => key)), load), { class: "primary" }),
    ),
    entries.length === 0
      ? h("p", { class: "panel" }, words.none)
      : h("ul", { class: "rows" }, entries.map((entry) => row(entry, call, load))),
  ];
}

function row({ key, size, version, created_at: createdAt }, call, load) {
  const shown = h("div", { class: "revealed" });
  const named = (label, act, attributes = {}) =>
    button(label, attempt(act), { class: "small", ...attributes, "aria-label": `${label}: ${visible(key)}` });
  return h(
    "li",
    {},
    h("span", { "data-row": true, tabindex: "-1" }, foreign(key)),
    h("span", { class: "hint" }, words.facts(size, version), " ", when(createdAt)),
    h(
      "span",
      { class: "row-actions" },
      revealing(shown, visible(key), () => call.read(key)),
      named(texts.copy, async () => copyText((await call.read(key)).data.content)),
      named(words.versions, () => showVersions(key, call, load)),
      may("write") && [
        named(texts.edit, async () => {
          const entry = await call.read(key);
          if (entry.data.encoding === "base64") announce(words.onlyByProgram);
          else edit(call, { key, ...entry }, new Set(), load);
        }),
        named(texts.delete, async () => {
          const agreed = await confirm({ title: words.deleteTitle(visible(key)), text: words.deleteText, agree: words.delete });
          if (!agreed) return;
          await call.remove(key);
          announce(words.deleted);
          load();
        }, { class: "small danger" }),
      ],
    ),
    shown,
  );
}

/** A button that shows in `place` what `read` returns, or hides it; `named` says to screen readers what. */
function revealing(place, named, read) {
  const label = () => {
    const text = place.firstChild ? words.hide : texts.show;
    element.textContent = text;
    element.setAttribute("aria-label", `${text}: ${named}`);
  };
  const element = button("", attempt(async () => {
    if (place.firstChild) place.replaceChildren();
    else place.append(contentOf((await read()).data));
    label();
  }), { class: "small" });
  label();
  return element;
}

function contentOf({ content, encoding, size }) {
  return encoding === "base64"
    ? h("p", {}, words.binary(number(size)))
    : h("pre", { class: "content", tabindex: "0", role: "group", "aria-label": words.content }, content);
}

/** Add an entry, or with `entry` save another version of one. */
function edit(call, entry, taken, load) {
  let etag = entry?.etag;
  let dirty = () => false;
  const conflict = h("div", {});
  return openDialog({
    title: entry === null ? words.add : words.edit,
    isDirty: () => dirty(),
    content: (close, giveUp) => {
      const made = form({
        above: [conflict],
        fields: [
          { name: "key", label: words.key, hint: words.keyHint, value: entry?.key ?? "", readonly: entry !== null, required: true, autocomplete: "off", spellcheck: "false" },
          { name: "content", label: words.content, type: "secret", value: entry?.data.content ?? "", autocomplete: "off", spellcheck: "false" },
        ],
        submit: texts.save,
        onCancel: giveUp,
        onSubmit: async ({ key, content }) => {
          if (taken.has(key)) {
            throw new Problem(409, { errors: [{ pointer: "/key", detail: words.taken }] });
          }
          try {
            // The type of the content stays, which other programs may need.
            await call.save(key, { content, content_type: entry?.data.content_type }, etag);
          } catch (error) {
            if (!(error instanceof Problem && error.status === 412)) throw error;
            const now = await call.read(key);
            etag = now.etag;
            replaceContent(conflict, h("div", { class: "panel warning", role: "alert" }, h("p", {}, words.conflict), contentOf(now.data)));
            return;
          }
          close(true);
          announce(words.saved);
          load();
        },
      });
      dirty = made.isDirty;
      return made.element;
    },
  });
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
      revealing(shown, words.versionOf(version), () => call.read(key, version)),
      !isNewest && may("write") && button(words.restore, attempt(async () => {
        await call.restore(key, version);
        announce(words.restored(version));
        onRestored();
      }), { class: "small", "aria-label": words.restoreVersion(version) }),
    ),
    shown,
  );
}
