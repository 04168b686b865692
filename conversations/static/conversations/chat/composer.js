// Where messages are written: grows with its text, and keeps it over a reload.

const DRAFT = "dialogix.draft";
const TALLEST = 220;

export class Composer {
  // submit(text) is what sends.
  constructor(form, area, submit) {
    this.area = area;
    area.addEventListener("input", () => this.changed());
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (area.value.trim()) submit(area.value);
    });
    this.write(load());
  }

  get empty() {
    return !this.area.value;
  }

  write(text) {
    this.area.value = text;
    this.changed();
  }

  // On a phone a focus brings the keyboard up, which is only wanted when a finger asks for it.
  focus() {
    if (matchMedia("(pointer: fine)").matches) this.area.focus();
  }

  changed() {
    const { area } = this;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, TALLEST)}px`;
    area.style.overflowY = area.scrollHeight > TALLEST ? "auto" : "hidden";
    save(area.value);
  }
}

function load() {
  try {
    return sessionStorage.getItem(DRAFT) || "";
  } catch {
    return "";
  }
}

function save(text) {
  try {
    sessionStorage.setItem(DRAFT, text);
  } catch {
    // Without storage a draft lives as long as the page.
  }
}
