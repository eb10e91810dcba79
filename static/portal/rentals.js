/* Renting a number, the page of an order, and what both share with the board: the time that
   is left, and the sign that an SMS has come. */
(function () {
  "use strict";

  // --- time left -----------------------------------------------------------------
  // Counted from when the server said it, since the clock here may be wrong.
  const ends = new WeakMap();

  function tick() {
    document.querySelectorAll("[data-left]").forEach((timer) => {
      if (!ends.has(timer)) ends.set(timer, performance.now() + 1000 * timer.dataset.left);
      const left = Math.max(0, Math.round((ends.get(timer) - performance.now()) / 1000));
      const shown = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (timer.textContent !== shown) timer.textContent = shown;
      timer.classList.toggle("is-short", left < 60);
    });
  }
  setInterval(tick, 500);
  document.addEventListener("DOMContentLoaded", tick);
  document.addEventListener("htmx:afterSwap", tick);

  // --- the sign that an SMS came ---------------------------------------------------
  const wants = (name) => localStorage.getItem(`rentals-${name}`) === "yes";
  const tellBackground = () => {
    window.portalWantsNews = wants("sound") || wants("notify");
  };

  function beep() {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = 880;
    volume.gain.setValueAtTime(0.2, context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.6);
    tone.connect(volume).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.6);
    tone.onended = () => context.close();
  }

  window.portalNews = function (text) {
    if (wants("sound")) beep();
    if (wants("notify") && "Notification" in window && Notification.permission === "granted") {
      // Never with the code in it: a notification stays on the screen for everybody.
      new Notification(text);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-switch]").forEach((box) => {
      box.checked = wants(box.dataset.switch);
    });
    tellBackground();
  });

  document.addEventListener("change", async (event) => {
    const box = event.target.closest("[data-switch]");
    if (!box) return;
    const note = document.querySelector("[data-switch-note]");
    if (note) note.textContent = "";
    if (box.dataset.switch === "notify" && box.checked) {
      const allowed = "Notification" in window && (await Notification.requestPermission());
      if (allowed !== "granted") {
        box.checked = false;
        if (note) note.textContent = box.dataset.refused;
      }
    }
    localStorage.setItem(`rentals-${box.dataset.switch}`, box.checked ? "yes" : "no");
    tellBackground();
  });

  const live = document.getElementById("live");
  if (live) {
    let arrived = Boolean(live.querySelector("[data-arrived]"));
    const follow = (now) => {
      if (now && !arrived) window.portalNews(live.dataset.news);
      arrived = now;
    };
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target === live) follow(Boolean(live.querySelector("[data-arrived]")));
    });
    // While a button in there has the focus (the number has just been copied), it stays, and
    // what stands around it follows: nobody has to click elsewhere to see the code.
    document.addEventListener("htmx:beforeSwap", (event) => {
      const { target, shouldSwap, serverResponse, xhr } = event.detail;
      if (target !== live || shouldSwap || xhr.status !== 200) return;
      const made = document.createElement("template");
      made.innerHTML = serverResponse;
      live.querySelectorAll("[data-piece]").forEach((piece) => {
        const next = made.content.querySelector(`[data-piece=${piece.dataset.piece}]`);
        if (!next || piece.contains(document.activeElement)) return;
        if (piece.innerHTML !== next.innerHTML) piece.replaceWith(next);
      });
      tick();
      follow(Boolean(made.content.querySelector("[data-arrived]")));
    });
  }

  // --- the form ----------------------------------------------------------------------
  const form = document.getElementById("rent-form");
  if (!form) return;

  function showWhatApplies() {
    form.querySelectorAll("[data-shown-if]").forEach((part) => {
      const [name, value] = part.dataset.shownIf.split("=");
      const chosen = [...form.elements].find(
        (field) => field.name === name && field.checked && field.value === value
      );
      part.hidden = !chosen;
    });
  }
  form.addEventListener("change", (event) => {
    showWhatApplies();
    if (event.target.id === "id_account") {
      const asked = new URLSearchParams();
      ["account", "project", "region", "count"].forEach((name) =>
        asked.set(name, form.elements[name].value)
      );
      location.search = asked;
    }
  });
  form.addEventListener("click", (event) => {
    const pair = event.target.closest("[data-project]");
    if (!pair) return;
    for (const name of ["project", "region"]) {
      const field = form.elements[name];
      const known = [...field.options].some((option) => option.value === pair.dataset[name]);
      if (known) field.value = pair.dataset[name];
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    form.elements.count.focus();
  });
  showWhatApplies();
  const dialog = document.getElementById("confirm-dialog");
  if (dialog) {
    // Not close(): it would be told of that, a moment later.
    dialog.open = false;
    dialog.showModal();
    // It confirms what stood in the form when it was asked; afterwards it is asked anew.
    dialog.addEventListener("close", () => {
      dialog.remove();
      form.elements.count.focus();
    });
  } else if (!document.querySelector("[data-problems]")) form.elements.project.focus();
})();
