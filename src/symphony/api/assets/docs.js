// Starts Swagger UI with the OpenAPI document of this service.

const dark = matchMedia("(prefers-color-scheme: dark)");
const followColorScheme = () =>
  document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followColorScheme);
followColorScheme();

// Swagger UI focuses the last field of the dialog; most people fill in the first one to sign in.
const focusUserName = {
  statePlugins: {
    auth: {
      wrapActions: {
        showDefinitions: (show) => (definitions) => {
          requestAnimationFrame(() => document.getElementById("oauth_username")?.focus());
          return show(definitions);
        },
      },
    },
  },
};

// Each operation documents about ten errors. They are one line each until a reader opens them.
const foldErrors = {
  wrapComponents: {
    response: (Response, { React }) => (props) => {
      const [isOpen, setOpen] = React.useState(false);
      const { createElement } = React;
      if (props.code < "400") return createElement(Response, props);
      const description = props.response.get("description").replaceAll("`", "");
      const toggle = { type: "button", "aria-expanded": isOpen, onClick: () => setOpen(!isOpen) };
      const summary = createElement(
        "tr",
        { className: "error-summary" },
        createElement("td", { className: "response-col_status" }, props.code),
        createElement("td", { colSpan: 2 }, createElement("button", toggle, description)),
      );
      return createElement(
        React.Fragment,
        null,
        summary,
        isOpen && createElement(Response, props),
      );
    },
  },
};

SwaggerUIBundle({
  url: document.getElementById("docs").dataset.openapi,
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  plugins: [focusUserName, foldErrors],
});
