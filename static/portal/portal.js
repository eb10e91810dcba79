/* The behaviour of every page. The content security policy forbids inline scripts. */
(function () {
  "use strict";

  const RESTORE_FLAG = "restore-form";

  // --- texts that are too long: refused beside the field, never cut ----------
  document.addEventListener("input", (event) => {
    const { longest, tooLong } = event.target.dataset || {};
    if (!longest) return;
    const length = [...event.target.value.trim()].length;
    event.target.setCustomValidity(length > longest ? tooLong.replace("{length}", length) : "");
  });

  // --- help texts of labels: on hover, focus and tap -------------------------
  const ROW_DELAY_MS = 500;
  const LEAVE_DELAY_MS = 150;
  let tip = null;
  let owner = null;
  let timer = 0;

  // `owner` is what has the focus or the pointer; the tip stands beside the first label.
  function showTip(target, labels) {
    hideTip();
    owner = target;
    tip = document.createElement("div");
    tip.className = "tip";
    tip.id = "tip";
    tip.setAttribute("role", "tooltip");
    for (const label of labels) {
      const line = document.createElement("p");
      if (labels.length > 1) {
        const word = document.createElement("strong");
        word.textContent = label.lastElementChild.textContent + " ";
        line.append(word);
      }
      line.append(label.dataset.help);
      tip.append(line);
    }
    // A modal dialog covers the rest of the page.
    (target.closest("dialog[open]") || document.body).append(tip);
    const box = labels[0].getBoundingClientRect();
    const width = tip.offsetWidth;
    const left = Math.max(12, Math.min(box.left, window.innerWidth - width - 12));
    const below = box.bottom + 6;
    const fits = below + tip.offsetHeight < window.innerHeight;
    tip.style.left = left + "px";
    tip.style.top = (fits ? below : Math.max(4, box.top - tip.offsetHeight - 6)) + "px";
    const described = [target.getAttribute("aria-describedby"), "tip"].filter(Boolean).join(" ");
    target.setAttribute("aria-describedby", described);
  }

  function hideTip() {
    clearTimeout(timer);
    if (owner) {
      const rest = (owner.getAttribute("aria-describedby") || "").replace(/ ?\btip$/, "");
      if (rest) owner.setAttribute("aria-describedby", rest);
      else owner.removeAttribute("aria-describedby");
    }
    if (tip) tip.remove();
    tip = owner = null;
  }

  const helpTarget = (event) => event.target.closest && event.target.closest("[data-help]");
  ["mouseover", "focusin", "click"].forEach((name) =>
    document.addEventListener(name, (event) => {
      if (tip && tip.contains(event.target)) {
        clearTimeout(timer);
        return;
      }
      const target = helpTarget(event);
      if (target && target !== owner) showTip(target, [target]);
      else if (target) clearTimeout(timer);
      else if (name === "click") hideTip();
    })
  );
  // In a list the keyboard stops once in a row; there the row's link explains the row's states.
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("#result_list tr.data-row");
    if (!row || helpTarget(event) || !event.target.matches(":focus-visible")) return;
    const labels = [...row.querySelectorAll("[data-help]")];
    if (!labels.length) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (event.target === document.activeElement) showTip(event.target, labels);
    }, ROW_DELAY_MS);
  });
  document.addEventListener("focusout", hideTip);
  // The pointer may move onto the tip, so it leaves a moment later.
  document.addEventListener("mouseout", (event) => {
    if (!tip || (owner === document.activeElement && !helpTarget(event))) return;
    clearTimeout(timer);
    timer = setTimeout(hideTip, LEAVE_DELAY_MS);
  });
  document.addEventListener("scroll", hideTip, true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  document.addEventListener("htmx:afterSwap", () => owner && !owner.isConnected && hideTip());

  // --- polling: connection loss, expired sessions ----------------------------
  let lostSince = null;

  function showConnectionLoss(show) {
    const line = document.getElementById("live-line");
    if (!line) return;
    if (show && lostSince === null) {
      lostSince = new Date().toLocaleTimeString("en-GB");
      line.textContent = line.dataset.text.replace("{time}", lostSince);
      line.hidden = false;
    } else if (!show && lostSince !== null) {
      lostSince = null;
      line.hidden = true;
    }
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (status === 401 || status === 403) {
      stopPolling();
      const note = document.getElementById("signed-out-note");
      if (note) note.innerHTML = event.detail.xhr.responseText;
    } else {
      showConnectionLoss(status === 0 || status >= 500);
    }
  });

  function stopPolling() {
    document.querySelectorAll("[hx-trigger]").forEach((part) => {
      part.removeAttribute("hx-get");
      part.removeAttribute("hx-trigger");
      const state = part["htmx-internal-data"];
      if (state) {
        clearTimeout(state.timeout);
        state.cancelled = true;
      }
    });
  }

  // --- forms -----------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest && event.target.closest("form");
    if (!form || event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      // A form without a primary button asks for a decision, which no habit may make.
      const button = form.querySelector("button.button-primary");
      if (!button) return;
      const isOff = button.disabled || button.getAttribute("aria-disabled") === "true";
      if (!isOff || "paid" in form.dataset) form.requestSubmit(isOff ? undefined : button);
    } else if ("paid" in form.dataset && event.target.tagName === "INPUT") {
      // Enter alone must never spend money.
      event.preventDefault();
    }
  });

  // A button that can do nothing now stays focusable, so that its reason is found and read.
  const isOff = (part) => part && part.getAttribute("aria-disabled") === "true";
  document.addEventListener(
    "submit",
    (event) => {
      if (!isOff(event.submitter)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true
  );
  // Without a connection the browser's own page would take the place of the form, and leave open
  // whether anything was sent.
  const unsentLine = () => document.getElementById("unsent-line");
  document.addEventListener(
    "submit",
    (event) => {
      const line = unsentLine();
      if (navigator.onLine || !line || event.target.method !== "post") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      line.textContent = line.dataset.text;
      line.hidden = false;
      line.scrollIntoView({ block: "nearest" });
    },
    true
  );
  window.addEventListener("online", () => unsentLine() && (unsentLine().hidden = true));

  document.addEventListener("click", (event) => {
    if (event.target.type === "checkbox" && isOff(event.target)) event.preventDefault();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    keep(form);
    if ("once" in form.dataset) form.dataset.sent = "yes";
  });
  // After Back, a page from the browser's cache may submit its form again. The server recognises
  // a repeated form token.
  window.addEventListener("pageshow", () =>
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent)
  );

  // Typed values survive a form that was too old and an expired session.
  const keepable = (form) =>
    form.method === "post" &&
    form.closest("#content") &&
    !form.closest(".outside") &&
    !("closes" in form.dataset);
  const fieldsOf = (form) =>
    [...form.elements].filter(
      (field) =>
        field.name &&
        !["hidden", "password", "file", "submit"].includes(field.type) &&
        !field.closest("[data-password]")
    );

  function keep(form) {
    if (!keepable(form)) return;
    const values = fieldsOf(form).map((field) => ({
      name: field.name,
      value: field.value,
      checked: field.checked,
    }));
    const kept = { path: location.pathname, values: values };
    sessionStorage.setItem("kept-form", JSON.stringify(kept));
    sessionStorage.removeItem(RESTORE_FLAG);
    // Back also restores the form token, so that the server recognises a repeated form.
    const token = form.elements.form_token ? form.elements.form_token.value : null;
    history.replaceState({ ...history.state, left: { ...kept, token: token } }, "");
  }

  function restore() {
    const kept = JSON.parse(sessionStorage.getItem("kept-form") || "null");
    if (!kept) return;
    if (document.querySelector("[data-error-page], .outside")) {
      const unsent = document.querySelector("[data-unsent]");
      if (unsent) unsent.hidden = false;
      sessionStorage.setItem(RESTORE_FLAG, "yes");
      return;
    }
    const isRequested = sessionStorage.getItem(RESTORE_FLAG);
    if (isRequested && kept.path !== location.pathname) return;
    sessionStorage.removeItem("kept-form");
    sessionStorage.removeItem(RESTORE_FLAG);
    if (isRequested) document.querySelectorAll("#content form").forEach((form) => fill(form, kept));
  }

  // After Back, browsers do not restore fields without autocompletion.
  function restoreAfterBack() {
    const [navigation] = performance.getEntriesByType("navigation");
    const left = history.state && history.state.left;
    if (!navigation || navigation.type !== "back_forward" || !left) return;
    document.querySelectorAll("#content form").forEach((form) => {
      fill(form, left);
      if (left.token && form.elements.form_token) form.elements.form_token.value = left.token;
    });
  }

  function fill(form, kept) {
    fieldsOf(form).forEach((field) => {
      const same = (one) =>
        one.name === field.name &&
        (!["checkbox", "radio"].includes(field.type) || one.value === field.value);
      const found = kept.values.find(same);
      if (!found) return;
      if (["checkbox", "radio"].includes(field.type)) field.checked = found.checked;
      else field.value = found.value;
      for (const name of ["input", "change"]) {
        const event = new Event(name, { bubbles: true });
        event.isRestored = true;
        field.dispatchEvent(event);
      }
    });
  }

  // --- showing a password ----------------------------------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".password-show");
    if (!button) return;
    const field = button.parentElement.querySelector("input");
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-pressed", String(shown));
  });

  // --- copy buttons, back links, the error summary ----------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      navigator.clipboard.writeText(button.dataset.copy).then(() => {
        const label = button.querySelector("[data-copied]");
        if (label) label.textContent = label.dataset.copied;
      });
    }
    if (event.target.closest("[data-print]")) window.print();
    if (event.target.closest("[data-back]") && history.length > 1) {
      event.preventDefault();
      history.back();
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    restore();
    restoreAfterBack();
    const problems = document.querySelector("[data-problems]");
    if (problems) problems.focus();
  });

  // --- dialogs --------------------------------------------------------------------
  // "?" shows the shortcuts, unless it is being typed.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const dialog = document.getElementById("shortcuts-dialog");
    if (!dialog || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    // The browser gives the focus back to where it was.
    dialog.showModal();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.opens);
      dialog.showModal();
      dialog.addEventListener("close", () => opener.isConnected && opener.focus(), { once: true });
    }
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest("dialog").close();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.matches && event.target.matches("[data-closes]")) {
      delete event.target.dataset.sent;
      event.target.closest("dialog").close();
    }
  });

  // --- the live part ----------------------------------------------------------------
  // A focused button or link stays, so that it is not replaced while it is being pressed.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (target.id === "live" && target.querySelector("button:focus, a:focus")) {
      event.detail.shouldSwap = false;
    }
  });

  // --- revealed values --------------------------------------------------------------
  // They take the place of the masked ones, also where a poll brings masked ones again, until
  // the time is over. Nothing of them is kept: a loaded page is masked.
  let revealed = null;

  function reveal(holder) {
    if (revealed) hide();
    const parts = new Map();
    holder.querySelectorAll("[data-part]").forEach((part) => {
      if (!document.querySelector(`[data-hidden=${part.dataset.part}]`)) return;
      parts.set(part.dataset.part, [...part.childNodes]);
      part.remove();
    });
    revealed = {
      parts: parts,
      masked: new Map(),
      holder: holder,
      endsAt: performance.now() + 1000 * holder.dataset.reveals,
      observer: new MutationObserver(place),
      clock: setInterval(tick, 250),
    };
    place();
    revealed.observer.observe(document.body, { childList: true, subtree: true });
  }

  function place() {
    revealed.parts.forEach((nodes, name) => {
      const place = document.querySelector(`[data-hidden=${name}]`);
      if (!place || nodes.some((node) => node.parentNode === place)) return;
      revealed.masked.set(place, [...place.childNodes]);
      place.replaceChildren(...nodes);
    });
    tick();
  }

  function tick() {
    const left = Math.max(0, Math.ceil((revealed.endsAt - performance.now()) / 1000));
    if (!left) {
      hide();
      return;
    }
    const shown = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    document.querySelectorAll("[data-reveal-clock]").forEach((clock) => {
      if (clock.textContent !== shown) clock.textContent = shown;
    });
  }

  function hide() {
    const { parts, masked, holder, observer, clock } = revealed;
    const hadFocus = [...masked.keys()].some((place) => place.contains(document.activeElement));
    clearInterval(clock);
    observer.disconnect();
    revealed = null;
    masked.forEach((nodes, place) => place.replaceChildren(...nodes));
    holder.remove();
    parts.clear();
    if (hadFocus) document.querySelector("[data-opens=reveal-dialog]")?.focus();
  }

  document.addEventListener("htmx:afterSwap", () => {
    const holder = document.querySelector("[data-reveals]");
    if (holder && !(revealed && revealed.holder === holder)) reveal(holder);
  });
  document.addEventListener("click", (event) => {
    if (revealed && event.target.closest("[data-hide-now]")) hide();
  });
  // A page that comes back from the browser's cache is masked as well.
  window.addEventListener("pagehide", () => revealed && hide());
})();
