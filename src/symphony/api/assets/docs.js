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

SwaggerUIBundle({
  url: document.getElementById("docs").dataset.openapi,
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  plugins: [focusUserName],
});
