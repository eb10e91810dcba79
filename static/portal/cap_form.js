/* The form of a cap, or of an exemption, shows only the field of what it applies to. */
(function () {
  "use strict";

  const FIELDS = {
    person: "user",
    user: "user",
    role: "group",
    account: "account",
    number: "number",
    prefix: "starts_with",
    country: "country",
  };
  const NAMES = new Set(Object.values(FIELDS));

  function rowOf(name) {
    const field = document.getElementById(`id_${name}`);
    return field && (field.closest(".form-row, .field-row, .field") || field.parentElement);
  }

  function begin() {
    const select = document.querySelector("[data-cap-subject]");
    if (!select) return;
    const show = () => {
      for (const name of NAMES) {
        const row = rowOf(name);
        if (row) row.hidden = FIELDS[select.value] !== name;
      }
    };
    select.addEventListener("change", show);
    show();
  }

  // The admin's forms load their scripts before the page is read.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
