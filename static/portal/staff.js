// Says beside each single permission from which of the ticked roles a person has it anyway.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const folds = document.querySelector("[data-folded-permissions]");
  if (!folds) {
    return;
  }
  const cards = [...document.querySelectorAll("input[data-role]")];
  const text = folds.querySelector("[data-from-text]").content;
  const names = new Map();
  for (const name of folds.querySelectorAll("[data-role-name]")) {
    names.set(name.dataset.roleName, name.content.textContent);
  }
  const show = () => {
    const ticked = cards.filter((card) => card.checked).map((card) => card.dataset.role);
    for (const box of folds.querySelectorAll("input[data-roles]")) {
      const roles = box.dataset.roles.split(" ").filter((role) => ticked.includes(role));
      const note = box.parentElement.querySelector("[data-from]");
      note.hidden = !roles.length;
      note.replaceChildren(text.cloneNode(true));
      note.querySelector("span").textContent = roles.map((role) => names.get(role)).join(", ");
    }
  };
  for (const card of cards) {
    card.addEventListener("change", show);
  }
  show();
});
