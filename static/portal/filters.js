/* The panel of a list's filters. It is fetched when it is first opened; without this script the
   button leads to the list with its panel open. */
(function () {
  "use strict";

  const panel = () => document.getElementById("changelist-filter");

  async function fetchPanel(address) {
    const url = new URL(address, location.href);
    url.searchParams.set("filters", "alone");
    const answer = await fetch(url).catch(() => null);
    if (!answer || !answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.getElementById("changelist-filter");
  }

  // The theme prepares fields when a page is loaded.
  function prepare() {
    const $ = window.django && window.django.jQuery;
    if ($ && $.fn.djangoCustomSelect2) $(".unfold-admin-autocomplete").djangoCustomSelect2();
    if (window.DateTimeShortcuts) window.DateTimeShortcuts.init();
    filterForm();
    nameFields();
  }

  // The library's search fields have no label; the filter's heading is their name.
  function nameFields() {
    document.querySelectorAll("#changelist-filter .select2-search__field").forEach((field) => {
      let part = field;
      while (part && !part.querySelector("h3")) part = part.parentElement;
      if (part) field.setAttribute("aria-label", part.querySelector("h3").textContent.trim());
    });
  }
  window.addEventListener("load", nameFields);

  async function open(opener) {
    if (!panel()) {
      opener.setAttribute("aria-busy", "true");
      const found = await fetchPanel(opener.href);
      opener.removeAttribute("aria-busy");
      // Signed out, for example: the address itself says what is wrong.
      if (!found) return location.assign(opener.href);
      if (!panel()) {
        document.getElementById("changelist").append(found);
        prepare();
      }
    }
    window.dispatchEvent(new CustomEvent("openfilters"));
    // The theme shows the panel a moment later. The next Tab leads to its first field.
    requestAnimationFrame(() => requestAnimationFrame(() => enter(opener)));
  }

  function enter(opener) {
    const form = document.getElementById("filter-form");
    if (!form) return;
    form.tabIndex = -1;
    form.focus({ preventScroll: true });
    form.onkeydown = (event) => event.key === "Escape" && opener.focus();
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-filters]");
    if (!opener || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(opener);
  });

  // The menu of saved filters closes like every other menu.
  const menus = () => document.querySelectorAll("details.own-menu[open]");
  document.addEventListener("click", (event) => {
    menus().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus().forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // A link that acts as a button is pressed by the space bar, too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("[data-filters]")) return;
    event.preventDefault();
    open(event.target);
  });
})();
