// The form of a cap shows only the field of what the cap applies to.
"use strict";

(() => {
    const FIELDS = {
        person: "user", user: "user", role: "group", account: "account",
        number: "number", prefix: "starts_with", country: "country",
    };
    const select = document.querySelector("[data-cap-subject]");
    if (!select) return;
    const rowOf = (name) => {
        const field = document.getElementById(`id_${name}`);
        return field && (field.closest(".form-row, .field-row, .field") || field.parentElement);
    };
    const show = () => {
        for (const name of new Set(Object.values(FIELDS))) {
            const row = rowOf(name);
            if (row) row.hidden = FIELDS[select.value] !== name && !row.querySelector(".errorlist, .error");
        }
    };
    select.addEventListener("change", show);
    show();
})();
