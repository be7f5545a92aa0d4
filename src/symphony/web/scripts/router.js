// The address of the page is its state: everything is in the fragment, which no server gets.

/** Return {path: ["repos", id], query} of the current address. */
export function currentRoute() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** Return an address: href(["repos", id], {tab: "work"}); empty values are left out. */
export function href(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const search = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search && `?${search}`}`;
}

export function go(path, query) {
  location.hash = href(path, query);
}

/** Change the query of the current address without a new entry in the history, and without a new view. */
export function replaceQuery(query) {
  history.replaceState(null, "", href(currentRoute().path, query));
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
