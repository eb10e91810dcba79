/* The form to rent a number and the page of an order. The board shares the countdown and the
   notification of a new SMS. */
(function () {
  "use strict";

  // --- countdown -----------------------------------------------------------------
  // Counted down from the server's figure, since the clock of this computer may be wrong.
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

  // --- notification of a new SMS ---------------------------------------------------
  const isEnabled = (name) => localStorage.getItem(`rentals-${name}`) === "yes";
  const updateBackgroundPolling = () => {
    window.portalWantsNews = isEnabled("sound") || isEnabled("notify");
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

  window.portalNotify = function (text) {
    if (isEnabled("sound")) beep();
    if (isEnabled("notify") && "Notification" in window && Notification.permission === "granted") {
      // The text never contains the code: anyone can read a notification on the screen.
      new Notification(text);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-switch]").forEach((box) => {
      box.checked = isEnabled(box.dataset.switch);
    });
    updateBackgroundPolling();
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
    updateBackgroundPolling();
  });

  const live = document.getElementById("live");
  if (live) {
    let arrived = Boolean(live.querySelector("[data-arrived]"));
    const notifyOnArrival = (now) => {
      if (now && !arrived) window.portalNotify(live.dataset.news);
      arrived = now;
    };
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target === live) notifyOnArrival(Boolean(live.querySelector("[data-arrived]")));
    });
    // A button keeps its focus, for example after copying the number. Only the pieces around it
    // are replaced, so that the code appears without a click elsewhere.
    document.addEventListener("htmx:beforeSwap", (event) => {
      const { target, shouldSwap, serverResponse, xhr } = event.detail;
      if (target !== live || shouldSwap || xhr.status !== 200) return;
      const template = document.createElement("template");
      template.innerHTML = serverResponse;
      live.querySelectorAll("[data-piece]").forEach((piece) => {
        const next = template.content.querySelector(`[data-piece=${piece.dataset.piece}]`);
        if (!next || piece.contains(document.activeElement)) return;
        if (piece.innerHTML !== next.innerHTML) piece.replaceWith(next);
      });
      tick();
      notifyOnArrival(Boolean(template.content.querySelector("[data-arrived]")));
    });
  }

  // --- the form ----------------------------------------------------------------------
  const form = document.getElementById("rent-form");
  if (!form) return;

  function showMatchingParts() {
    form.querySelectorAll("[data-shown-if]").forEach((part) => {
      const [name, value] = part.dataset.shownIf.split("=");
      const chosen = [...form.elements].find(
        (field) => field.name === name && field.checked && field.value === value
      );
      part.hidden = !chosen;
    });
  }
  // The button stays focusable and says why it does nothing yet. The server refuses as well.
  const rentButton = document.getElementById("rent-button");
  const missingFields = () => ["project", "region"].filter((name) => !form.elements[name].value);

  function showWhatIsMissing() {
    const missing = missingFields();
    const why = document.getElementById("rent-why");
    why.textContent = missing.length === 2 ? why.dataset.both : why.dataset[missing[0]] || "";
    if (missing.length) rentButton.setAttribute("aria-disabled", "true");
    else rentButton.removeAttribute("aria-disabled");
  }
  const leadToMissing = (event) => {
    const missing = event.target === form ? missingFields() : [];
    if (!missing.length) return;
    event.preventDefault();
    event.stopPropagation();
    form.elements[missing[0]].focus();
  };
  // Before portal.js stops the form of a button that can do nothing.
  window.addEventListener("submit", leadToMissing, true);
  window.addEventListener("pageshow", showWhatIsMissing);
  form.addEventListener("change", (event) => {
    showMatchingParts();
    showWhatIsMissing();
    if (event.target.id === "id_account") {
      const query = new URLSearchParams();
      ["account", "project", "region", "count"].forEach((name) =>
        query.set(name, form.elements[name].value)
      );
      location.search = query;
    }
  });
  form.addEventListener("click", (event) => {
    const pair = event.target.closest("[data-project]");
    if (!pair || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    for (const name of ["project", "region"]) {
      const field = form.elements[name];
      const known = [...field.options].some((option) => option.value === pair.dataset[name]);
      if (known) field.value = pair.dataset[name];
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    form.elements.count.focus();
  });
  showMatchingParts();
  showWhatIsMissing();
  const dialog = document.getElementById("confirm-dialog");
  if (dialog) {
    // close() would fire the "close" event a moment later.
    dialog.open = false;
    dialog.showModal();
    // The dialog confirms one submitted form. Another submit opens a new dialog.
    dialog.addEventListener("close", () => {
      dialog.remove();
      form.elements.count.focus();
    });
  } else if (!document.querySelector("[data-problems]")) form.elements.project.focus();
})();
