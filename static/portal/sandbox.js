// Shows only the phones whose number contains the typed digits, also after the list was fetched again.
(function () {
  "use strict";

  let typed = "";

  function filter() {
    const digits = typed.replace(/\D/g, "");
    document.querySelectorAll(".threads [data-number]").forEach((line) => {
      line.hidden = !line.dataset.number.replace(/\D/g, "").includes(digits);
    });
    const field = document.querySelector("[data-phone-filter]");
    if (field && field.value !== typed) field.value = typed;
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-phone-filter]")) return;
    typed = event.target.value;
    filter();
  });
  document.addEventListener("htmx:afterSwap", filter);
})();
