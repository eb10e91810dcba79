// Offers the time zone of the device.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("[data-browser-zone]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const field = button && document.getElementById(button.dataset.browserZone);
  if (!field || !zone) {
    return;
  }
  const show = () => {
    button.hidden = field.value === zone;
  };
  button.querySelector("span").textContent = zone;
  button.addEventListener("click", () => {
    field.value = zone;
    show();
    field.focus();
  });
  field.addEventListener("input", show);
  show();
});
