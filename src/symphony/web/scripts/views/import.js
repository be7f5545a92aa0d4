// Import a folder: find the repositories in it, choose, and register them, all or none.

import { get, post } from "../api.js";
import { form } from "../components/form.js";
import { foreign, h, replaceContent } from "../dom.js";
import { href } from "../router.js";
import { texts } from "../texts.js";
import { importChooser } from "./import_chooser.js";

const words = texts.import;
const SEARCH_WITHIN = 60_000; // milliseconds; the service itself stops after 15 seconds

export async function importView({ ids: [id], signal }) {
  const { data: workspace } = await get(`/workspaces/${id}`, { signal });
  return {
    title: words.title,
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["workspaces", id]) }, foreign(workspace.name))),
      h("h1", {}, words.title),
      h("p", {}, words.intro),
      folderSearch(async () => id, signal),
    ],
  };
}

/** The form for a folder, and what was found in it; `workspaceId` resolves with the id of the workspace to import into. */
export function folderSearch(workspaceId, signal) {
  const results = h("section", { "aria-live": "polite" });
  const search = form({
    fields: [
      { name: "root", label: words.root, hint: words.rootHint, required: true, autofocus: true, spellcheck: "false", autocomplete: "off" },
      { name: "max_depth", label: words.depth, type: "number", min: "0", max: "20", value: "4", hint: words.depthHint, folded: texts.options },
    ],
    submit: words.search,
    onSubmit: async ({ root, max_depth: depth }) => {
      replaceContent(results, h("p", { class: "loading" }, words.searching));
      try {
        const body = { root, max_depth: Number(depth) };
        const id = await workspaceId();
        const { data } = await post(`/workspaces/${id}/discoveries`, body, { signal, timeout: SEARCH_WITHIN });
        replaceContent(results, importChooser(() => id, data));
        results.scrollIntoView({ block: "start" });
      } catch (error) {
        replaceContent(results);
        throw error;
      }
    },
  });
  return [search.element, results];
}
