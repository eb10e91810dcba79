/* Sending a message, and the page of one. */
(function () {
  "use strict";

  // --- the form -----------------------------------------------------------------
  const form = document.getElementById("send-form");
  if (form) {
    const account = document.getElementById("id_account");
    account.addEventListener("change", () => {
      // The one that is shown already: only what was typed has been put back.
      if (account.selectedOptions[0].defaultSelected) return;
      form.removeAttribute("data-once");
      // Not before every field has been put back.
      setTimeout(() => form.requestSubmit(form.querySelector("[name=change_account]")));
    });
    const first = ["id_recipient", "id_text", "id_code"]
      .map((id) => document.getElementById(id))
      .find((field) => field && !field.value);
    if (first && !document.querySelector("[data-problems]")) first.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-replace]");
    if (!button) return;
    const text = document.getElementById("id_text");
    text.value = text.value.replaceAll(button.dataset.replace, button.dataset.with);
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
