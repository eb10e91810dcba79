/* Sending a code, and the page of a session: made for the phone. */
(function () {
  "use strict";

  // --- the form -------------------------------------------------------------------
  const form = document.getElementById("code-form");
  if (form) {
    const account = document.getElementById("id_account");
    account.addEventListener("change", () => {
      // The one that is shown already: only what was typed has been put back.
      if (account.selectedOptions[0].defaultSelected) return;
      form.removeAttribute("data-once");
      // Not before every field has been put back.
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

  // --- clocks: counted here, from the seconds that the server said, so that a wrong clock
  // of this computer does not matter --------------------------------------------------
  const ends = new WeakMap();

  function begin(root) {
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

  function left(element) {
    return Math.max(0, Math.ceil((ends.get(element) - performance.now()) / 1000));
  }

  function tick() {
    document.querySelectorAll(".clock.runs").forEach((clock) => {
      const seconds = left(clock);
      const text = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
      if (clock.textContent !== text) clock.textContent = text;
    });
    document.querySelectorAll("button[data-waits]").forEach((button) => {
      if (left(button) > 0) return;
      button.removeAttribute("data-waits");
      button.removeAttribute("aria-disabled");
      const hint = button.querySelector(".hint");
      if (hint) hint.remove();
    });
  }

  document.addEventListener("DOMContentLoaded", () => begin(document));
  document.addEventListener("htmx:load", () => begin(document));
  setInterval(tick, 250);

  document.addEventListener(
    "submit",
    (event) => {
      const button = event.submitter;
      if (button && button.getAttribute("aria-disabled") === "true") {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true
  );

  // --- checking ---------------------------------------------------------------------
  const desk = document.getElementById("check-code");
  // The browser's own autofocus is lost where the page before it still had the focus.
  if (desk) desk.focus();

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "check-form") return;
    const field = document.getElementById("check-code");
    if (field) {
      field.focus();
      field.select();
    }
  });

  // A button that somebody is about to press is not swapped away under the finger.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const target = event.detail.target;
    if (target && target.id === "again" && target.contains(document.activeElement)) {
      event.detail.shouldSwap = false;
    }
    // Nor is what stands there without a field, while it says the same.
    if (target && target.id === "desk" && !document.getElementById("check-code")) {
      const said = (part) => part.textContent.replace(/\s+/g, " ").trim();
      if (said(target) === said(event.detail.fragment)) event.detail.shouldSwap = false;
    }
  });
})();
