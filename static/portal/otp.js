/* The form to send a code and the page of a code session. Both are designed for phones. */
(function () {
  "use strict";

  // --- the form -------------------------------------------------------------------
  const form = document.getElementById("code-form");
  if (form) {
    const account = document.getElementById("id_account");
    account.addEventListener("change", () => {
      // This is the account shown already: the event came from restoring typed values.
      if (account.selectedOptions[0].defaultSelected) return;
      form.removeAttribute("data-once");
      // Submit after all fields have been restored.
      setTimeout(() => form.requestSubmit(form.querySelector("[name=change_account]")));
    });
    const number = document.getElementById("id_recipient");
    if (!document.querySelector("[data-problems]")) number.focus();
    form.addEventListener("change", (event) => {
      if (event.target.name === "fallback") {
        form.querySelectorAll("[data-way]").forEach((line) => {
          line.hidden = line.dataset.way !== event.target.value;
        });
      }
      if (event.target.name !== "maker" && event.target.name !== "template") return;
      const field = { typed: "id_typed", own: "id_text" }[event.target.value];
      if (field && document.getElementById(field)) document.getElementById(field).focus();
    });
  }

  // --- countdowns -------------------------------------------------------------------
  // Counted down from the server's seconds, since the clock of this computer may be wrong.
  const ends = new WeakMap();

  function startCountdowns(root) {
    root.querySelectorAll(".clock[data-seconds]").forEach((clock) => {
      ends.set(clock, performance.now() + 1000 * Number(clock.dataset.seconds));
      clock.removeAttribute("data-seconds");
      clock.classList.add("runs");
    });
    root.querySelectorAll("button[data-waits]").forEach((button) => {
      ends.set(button, performance.now() + 1000 * Number(button.dataset.waits));
      button.setAttribute("aria-disabled", "true");
    });
    tick();
  }

  function secondsLeft(element) {
    return Math.max(0, Math.ceil((ends.get(element) - performance.now()) / 1000));
  }

  function tick() {
    document.querySelectorAll(".clock.runs").forEach((clock) => {
      const seconds = secondsLeft(clock);
      const text = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
      if (clock.textContent !== text) clock.textContent = text;
    });
    document.querySelectorAll("button[data-waits]").forEach((button) => {
      if (secondsLeft(button) > 0) return;
      button.removeAttribute("data-waits");
      button.removeAttribute("aria-disabled");
      const hint = button.querySelector(".hint");
      if (hint) hint.remove();
      const why = document.getElementById(button.getAttribute("aria-describedby"));
      button.removeAttribute("aria-describedby");
      if (why) why.remove();
    });
  }

  document.addEventListener("DOMContentLoaded", () => startCountdowns(document));
  document.addEventListener("htmx:load", () => startCountdowns(document));
  setInterval(tick, 250);

  // --- checking ---------------------------------------------------------------------
  const codeField = document.getElementById("check-code");
  // The browser skips autofocus if the previous page still had the focus.
  if (codeField) codeField.focus();

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "check-form") return;
    const field = document.getElementById("check-code");
    if (field) {
      field.focus();
      field.select();
    }
  });

  // A focused button stays, so that it is not replaced while it is being pressed.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const target = event.detail.target;
    if (target && target.id === "again" && target.contains(document.activeElement)) {
      event.detail.shouldSwap = false;
    }
    // A desk without a field stays too, as long as its text is the same.
    if (target && target.id === "desk" && !document.getElementById("check-code")) {
      const textOf = (part) => part.textContent.replace(/\s+/g, " ").trim();
      if (textOf(target) === textOf(event.detail.fragment)) event.detail.shouldSwap = false;
    }
  });
})();
