// The public API, as any frontend may use it.

const AWAY = "The server is busy or restarting. Please try again in a moment.";
const PROBLEMS = {
  401: "You are signed out. Sign in to go on.",
  404: "This conversation does not exist any more.",
  409: "Another reply is under way.",
  413: "The message is too large.",
  502: AWAY,
  504: "The model did not answer in time. Please try again.",
};

export class ApiError extends Error {
  constructor(status, details, retryAfter) {
    super(ApiError.sentence(status, details, retryAfter));
    this.status = status;
    this.details = details;
  }

  static sentence(status, details, retryAfter) {
    if (status === 429) {
      const minutes = Math.max(1, Math.ceil((retryAfter || 60) / 60));
      return `You have reached the limit of requests. Try again in ${minutes} min.`;
    }
    // The server knows best what it has too much of; a proxy in front of it says nothing.
    if (status === 503) return details || AWAY;
    return PROBLEMS[status] || details || "Something went wrong. Please try again.";
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

// One request. Throws ApiError for an answer that is an error, TypeError where the connection is lost.
export async function request(method, path, { body, headers = {}, signal } = {}) {
  const response = await fetch(path, {
    method,
    signal,
    credentials: "same-origin",
    headers: {
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(method === "GET" ? {} : { "X-CSRFToken": cookie("csrftoken") }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  const details = answer.detail || answer.details;
  throw new ApiError(response.status, details, Number(response.headers.get("Retry-After")));
}

async function json(method, path, body) {
  const response = await request(method, path, { body });
  return response.status === 204 ? null : response.json();
}

const message = (id) => `/chat/messages/${encodeURIComponent(id)}`;
const conversation = (id) => `/chat/conversations/${encodeURIComponent(id)}`;

export const api = {
  createConversation: async () => (await json("POST", "/chat/conversations")).conversation_id,
  listConversations: (query, cursor) => {
    const parameters = new URLSearchParams({ limit: "30" });
    if (query) parameters.set("q", query);
    if (cursor) parameters.set("cursor", cursor);
    return json("GET", `/chat/conversations?${parameters}`);
  },
  readConversation: (id) => json("GET", conversation(id)),
  renameConversation: (id, title) => json("PATCH", conversation(id), { title }),
  deleteConversation: (id) => json("DELETE", conversation(id)),
  history: async (id, before) => {
    const parameters = new URLSearchParams({ limit: "50" });
    if (before) parameters.set("before", before);
    return (await json("GET", `/chat/history/${encodeURIComponent(id)}?${parameters}`)).messages;
  },
  readMessage: (id) => json("GET", message(id)),
  cancel: (id) => json("POST", `${message(id)}/cancel`),
  activate: async (id) => (await json("POST", `${message(id)}/activate`)).messages,
  feedback: (id, rating) => json("PUT", `${message(id)}/feedback`, { rating }),

  // These answer with a stream: see stream.js.
  send: (provider, id, text, key) =>
    request("POST", `/chat/${provider}`, {
      body: { conversation_id: id, messages: [{ role: "user", content: text }] },
      headers: { "Idempotency-Key": key },
    }),
  regenerate: (id, provider) => request("POST", `${message(id)}/regenerate`, { body: { provider } }),
  edit: (id, content, provider) => request("POST", `${message(id)}/edit`, { body: { content, provider } }),
  rejoin: (id, position, signal) =>
    request("GET", `${message(id)}/stream`, { headers: { "Last-Event-ID": String(position) }, signal }),
};
