/* The form of a new batch and the page of a batch. */
(function () {
  "use strict";

  const template = document.getElementById("id_template");
  if (template) {
    template.addEventListener("change", () => {
      const text = template.selectedOptions[0].dataset.text;
      if (text === undefined) return;
      const field = document.getElementById("id_text");
      field.value = text;
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  // The time is what is missing: the day is proposed.
  const later = document.querySelector("[name=when][value=later]");
  if (later) later.addEventListener("change", () => document.getElementById("id_clock").focus());

  // A test leaves what was typed about the start.
  const test = document.getElementById("test-form");
  if (test)
    test.addEventListener("submit", () => {
      const typed = new FormData(document.getElementById("start-form"));
      test.querySelectorAll("[data-start]").forEach((field) => field.remove());
      for (const name of ["when", "day", "clock"]) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name, value: typed.get(name) || "" });
        field.dataset.start = "";
        test.append(field);
      }
    });

  // The rest of the page belongs to one state of the batch, so a new state reloads the page.
  document.addEventListener("htmx:afterSwap", (event) => {
    const live = event.detail.target;
    if (live.id !== "live" || !live.dataset.state) return;
    const now = live.querySelector("[data-state-now]");
    if (now && now.dataset.stateNow !== live.dataset.state) location.reload();
  });
})();
