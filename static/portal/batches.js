/* Batches: templates, and a page that has something new to offer. */
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

  // Choosing a day means "later".
  document.querySelectorAll(".start-time input").forEach((field) =>
    field.addEventListener("input", () => {
      document.querySelector("[name=when][value=later]").checked = true;
    })
  );

  // What stands beside the live part belongs to a state: another one is another page.
  document.addEventListener("htmx:afterSwap", (event) => {
    const live = event.detail.target;
    if (live.id !== "live" || !live.dataset.state) return;
    const now = live.querySelector("[data-state-now]");
    if (now && now.dataset.stateNow !== live.dataset.state) location.reload();
  });
})();
