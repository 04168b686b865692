// Asks a person: for a text where `value` is given, else for a yes. Resolves to the text, "" for yes, null for no.

const $ = (id) => document.getElementById(id);

export function ask({ title, text = "", value = null, confirm }) {
  const dialog = $("dialog");
  $("dialog-title").textContent = title;
  $("dialog-text").textContent = text;
  $("dialog-text").hidden = !text;
  $("dialog-input").hidden = value === null;
  $("dialog-input").required = value !== null;
  $("dialog-input").value = value ?? "";
  $("dialog-confirm").textContent = confirm;
  dialog.returnValue = "cancel";
  // No submit button: the first of these is what Enter presses.
  $("dialog-cancel").onclick = () => dialog.close("cancel");
  dialog.showModal();
  if (value !== null) $("dialog-input").select();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => resolve(dialog.returnValue === "confirm" ? $("dialog-input").value : null),
      { once: true },
    );
  });
}
