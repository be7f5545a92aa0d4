// Starts ReDoc with the OpenAPI document of this service.

// ReDoc loads its logo from another host, and has no option against that.
HTMLImageElement.prototype.setAttribute = function (name, value) {
  const isElsewhere = name === "src" && /^https?:/.test(value);
  if (!isElsewhere) Element.prototype.setAttribute.call(this, name, value);
};
Object.defineProperty(HTMLImageElement.prototype, "src", {
  get() { return this.getAttribute("src") ?? ""; },
  set(value) { this.setAttribute("src", value); },
});

const place = document.getElementById("redoc");
const font = "system-ui, sans-serif";

Redoc.init(
  place.dataset.openapi,
  {
    hideDownloadButtons: true, // the start page links to the document
    hideLoading: true,
    pathInMiddlePanel: true,
    requiredPropsFirst: true,
    schemasExpansionLevel: 1,
    theme: { typography: { fontFamily: font, headings: { fontFamily: font } } },
  },
  place,
);
