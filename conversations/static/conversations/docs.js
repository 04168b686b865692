// Swagger UI over our own description; nothing is loaded from elsewhere.
const target = document.getElementById("docs");

// Who has signed in may try what changes something, too: a session asks for this.
function withToken(request) {
  const cookie = document.cookie.split("; ").find((each) => each.startsWith("csrftoken="));
  if (cookie && request.method !== "GET") request.headers["X-CSRFToken"] = cookie.split("=")[1];
  return request;
}

SwaggerUIBundle({
  url: target.dataset.schema,
  domNode: target,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  requestInterceptor: withToken,
  validatorUrl: null,
});
