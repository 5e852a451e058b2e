// The API's page to read: Swagger UI over our own description.
const page = document.getElementById("reference");

window.SwaggerUIBundle({
  domNode: page,
  url: page.dataset.schema,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  tryItOutEnabled: false,
  validatorUrl: null,
});
