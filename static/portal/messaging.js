/* The form to send a message and the page of a message. */
(function () {
  "use strict";

  // --- the form -----------------------------------------------------------------
  const form = document.getElementById("send-form");
  if (form) {
    const account = document.getElementById("id_account");
    account.addEventListener("change", () => {
      // This is the account shown already: the event came from restoring typed values.
      if (account.selectedOptions[0].defaultSelected) return;
      form.removeAttribute("data-once");
      // Submit after all fields have been restored.
      setTimeout(() => form.requestSubmit(form.querySelector("[name=change_account]")));
    });
    const template = form.querySelector("#id_template");
    const pick = form.querySelector("[name=use_template]");
    if (template && pick)
      template.addEventListener("change", (event) => {
        // Not when Back or an expired session restores the choice.
        if (event.isRestored) return;
        form.removeAttribute("data-once");
        form.requestSubmit(pick);
      });
    const fields = "#id_recipient, #template-values input:not([type=hidden]), #id_text, #id_code";
    const first = [...form.querySelectorAll(fields)].find((field) => !field.value);
    if (first && !document.querySelector("[data-problems]")) first.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-replacements]");
    if (!button) return;
    const text = document.getElementById("id_text");
    for (const [character, plain] of JSON.parse(button.dataset.replacements)) {
      text.value = text.value.replaceAll(character, plain);
    }
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
