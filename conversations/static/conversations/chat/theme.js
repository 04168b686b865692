// Runs before anything is painted: light or dark, as chosen here before, else as the system has it.

(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("dialogix.theme");
  } catch {
    // Without storage the system decides each time.
  }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
