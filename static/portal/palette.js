/* The search over all pages: Ctrl+K everywhere, "/" where the page has no search of its own. */
(function () {
  "use strict";

  let leftAt = null;

  document.addEventListener(
    "keydown",
    (event) => {
      const typing = event.target.closest("input, textarea, select, [contenteditable]");
      const isSlash = event.key === "/" && !typing && !document.getElementById("searchbar");
      const isCtrlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
      if (!(isSlash || isCtrlK) || event.altKey || event.shiftKey) return;
      if (!document.querySelector("[data-find]") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      window.dispatchEvent(new CustomEvent("opencommand"));
      // The theme shows the palette a moment later, and would lose the first keys typed.
      document.querySelector(".veil").style.removeProperty("display");
      document.getElementById("search-input-command").focus();
    },
    true
  );

  window.addEventListener("opencommand", () => {
    if (!document.activeElement.closest(".palette")) leftAt = document.activeElement;
  });

  // The keyboard goes on where it was.
  window.addEventListener("closecommand", () => {
    if (leftAt && leftAt.isConnected) leftAt.focus();
    leftAt = null;
  });

  // The theme's script moves through the hits. It would keep them after the field was emptied,
  // stop the page from scrolling after a second Ctrl+K, and let the keyboard out of the dialog.
  window.palette = () => {
    const theme = window.searchCommand();
    return {
      ...theme,
      asked: "",
      /** What the hits were found for. */
      answered: "",
      /** Enter was pressed before the hits were there. */
      awaited: null,
      failed: false,

      handleOpen() {
        if (this.openCommandResults) this.$refs.searchInputCommand.focus();
        else theme.handleOpen.call(this);
      },

      handleEscape() {
        const field = this.$refs.searchInputCommand;
        const isEmpty = !field.value;
        this.clear();
        if (isEmpty) theme.handleEscape.call(this);
        else field.focus();
      },

      handleOutsideClick() {
        this.clear();
        theme.handleOutsideClick.call(this);
      },

      handleContentLoaded(event) {
        this.failed = false;
        this.answered = this.asked;
        theme.handleContentLoaded.call(this, event);
        const awaited = this.awaited;
        this.awaited = null;
        if (awaited && awaited.typed === this.answered) this.open(awaited.inNewTab);
      },

      clear() {
        const field = this.$refs.searchInputCommand;
        field.value = "";
        window.htmx.trigger(field, "htmx:abort");
        // The same text typed again is searched again.
        field.dispatchEvent(new Event("input", { bubbles: true }));
        this.clearHits();
        this.answered = "";
        this.awaited = null;
        this.failed = false;
      },

      send() {
        this.asked = this.$refs.searchInputCommand.value;
      },

      fail(answer) {
        this.clearHits();
        // Signed out: the answer says so, and has the way back.
        if (answer && answer.status === 401) this.el.innerHTML = answer.responseText;
        else this.failed = true;
      },

      clearHits() {
        this.el.replaceChildren();
        this.items = undefined;
        this.totalItems = this.currentIndex = 0;
      },

      /** Opens the chosen hit, else the first one of what was typed last. */
      enter(inNewTab) {
        const typed = this.$refs.searchInputCommand.value;
        if (!typed.trim()) return;
        if (typed === this.answered) this.open(inNewTab);
        else this.awaited = { typed: typed, inNewTab: inNewTab };
      },

      open(inNewTab) {
        if (!this.items || !this.items.length) return;
        this.currentIndex = this.currentIndex || 1;
        const act = this.items[this.currentIndex - 1].querySelector("button");
        if (act) act.click();
        else this.selectItem(false, inNewTab);
      },

      /** Tab stays in the dialog. */
      step(event) {
        const stops = [...this.$root.querySelectorAll("input[type=search], a, button")];
        const next = stops.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
        stops.at(next % stops.length).focus();
      },
    };
  };
})();
