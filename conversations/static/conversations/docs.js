// Swagger UI over our own description; nothing is loaded from elsewhere.
const target = document.getElementById("docs");
SwaggerUIBundle({
  url: target.dataset.schema,
  domNode: target,
  deepLinking: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
