/* Keeps choices and focus when the list on hold is replaced, and counts selected rows. */
(function () {
  "use strict";

  let kept = null;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = event.detail.target;
    if (list.id !== "hold-waiting") return;
    const chosen = [...list.querySelectorAll("input[type=radio]:checked")];
    kept = {
      chosen: chosen.map((field) => [field.name, field.value]),
      focused: list.contains(document.activeElement) ? describe(document.activeElement) : null,
    };
  });

  document.addEventListener("htmx:afterSwap", () => {
    const list = document.getElementById("hold-waiting");
    if (!kept || !list) return;
    const radio = ([name, value]) =>
      [...list.querySelectorAll("input[type=radio]")].find(
        (field) => field.name === name && field.value === value
      );
    kept.chosen.forEach((one) => {
      const field = radio(one);
      if (field) field.checked = true;
    });
    if (kept.focused) {
      const [name, value, href] = kept.focused;
      const link = [...list.querySelectorAll("a")].find((one) => one.getAttribute("href") === href);
      const field = name ? radio([name, value]) : link;
      if (field) field.focus({ preventScroll: true });
    }
    kept = null;
  });

  const describe = (element) => [element.name, element.value, element.getAttribute("href")];

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("row-decisions");
    if (!form) return;
    const offer = form.querySelector("[data-all-rows]");
    const all = offer.querySelector("input");
    const line = form.querySelector("[data-selected]");
    const rows = [...form.querySelectorAll("input[name=rows]")];
    offer.hidden = false;
    const count = () => {
      const selected = rows.filter((row) => row.checked).length;
      all.checked = selected === rows.length;
      all.indeterminate = selected > 0 && selected < rows.length;
      line.textContent = line.dataset.text.replace("{count}", selected);
    };
    all.addEventListener("change", () => {
      rows.forEach((row) => (row.checked = all.checked));
      count();
    });
    form.addEventListener("change", count);
    count();
  });
})();
