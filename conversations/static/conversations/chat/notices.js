// What the page says beside the conversation: what went wrong, and what a screen reader should hear.

import { ApiError } from "./api.js";

const $ = (id) => document.getElementById(id);

export function announce(text) {
  $("announcer").textContent = text;
}

// error: a sentence, an ApiError, or whatever a lost connection throws. retry: what "Try again" does, if it is offered.
export function problem(error, retry = null) {
  const signedOut = error?.status === 401;
  const action = signedOut ? () => location.reload() : retry;
  $("problem-text").textContent = sentence(error);
  $("retry").textContent = signedOut ? "Sign in" : "Try again";
  $("retry").hidden = !action;
  $("retry").onclick = () => (settle(), action());
  $("problem").hidden = false;
}

function sentence(error) {
  if (typeof error === "string") return error;
  if (error instanceof ApiError) return error.message;
  console.warn(error);
  return "The connection is lost. Please try again.";
}

export function settle() {
  $("problem").hidden = true;
}

// Do something that may fail, and say so if it does. Resolves to its result, undefined where it failed.
export async function attempt(work) {
  settle();
  try {
    return await work();
  } catch (error) {
    problem(error);
  }
}
