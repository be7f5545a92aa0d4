// Starts Swagger UI on the document of this service.

const dark = matchMedia("(prefers-color-scheme: dark)");
const followTheReader = () =>
  document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followTheReader);
followTheReader();

// Swagger UI puts the cursor into the last field of the dialog; most people sign in with the first.
const beginWithTheUserName = {
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
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  plugins: [beginWithTheUserName],
});
