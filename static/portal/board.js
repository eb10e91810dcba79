/* The board of open orders. Only changed rows are fetched, and they are replaced in place. New
   rows are announced and not inserted. */
(function () {
  "use strict";

  const FIRST_MINUTE = 60000;
  const began = Date.now();
  const board = document.getElementById("board");
  if (!board) return;
  const known = new Set();
  const waiting = new Set();

  function replace(id, drawn) {
    const row = document.getElementById(`order-${id}`);
    if (!row) return false;
    const template = document.createElement("template");
    template.innerHTML = drawn.html.trim();
    const next = template.content.firstElementChild;
    const hasArrived = next.classList.contains("arrived") && !row.classList.contains("arrived");
    if (row.outerHTML === next.outerHTML) return true;
    if (hasArrived) announce(drawn.arrived);
    // A cell with the focus stays until it loses it. The other cells are replaced at once.
    if (row.contains(document.activeElement)) {
      waiting.add(id);
      row.className = next.className;
      [...next.cells].forEach((cell, at) => {
        const old = row.cells[at];
        if (!old.contains(document.activeElement) && old.outerHTML !== cell.outerHTML) {
          old.replaceWith(cell.cloneNode(true));
        }
      });
    } else {
      waiting.delete(id);
      row.replaceWith(next);
    }
    return true;
  }

  function announce(text) {
    document.getElementById("board-news").textContent = text;
    window.portalNotify(text);
  }

  function showNewer() {
    const line = document.getElementById("board-newer");
    line.hidden = known.size === 0;
    line.textContent = line.dataset.text.replace("{n}", known.size);
    line.href = location.href;
  }

  async function poll() {
    const quiet = document.hidden && !window.portalWantsNews;
    if (!quiet) {
      const query = new URLSearchParams({ since: board.dataset.since, scope: board.dataset.scope });
      const answer = await fetch(`${board.dataset.url}?${query}`, {
        headers: { Accept: "application/json" },
      }).catch(() => null);
      if (answer && (answer.status === 401 || answer.status === 403)) {
        const note = document.getElementById("signed-out-note");
        if (note) note.innerHTML = await answer.text();
        return;
      }
      if (answer && answer.ok) {
        const news = await answer.json();
        if (waiting.size === 0) board.dataset.since = news.since;
        for (const [id, drawn] of Object.entries(news.rows)) {
          if (!replace(id, drawn) && news.open.includes(id)) known.add(id);
        }
        showNewer();
        document.getElementById("board-pace").textContent = news.pace;
      }
    }
    setTimeout(poll, Date.now() - began < FIRST_MINUTE ? 2000 : 5000);
  }

  document.addEventListener("click", (event) => {
    const cancel = event.target.closest("[data-cancel]");
    if (cancel) {
      const dialog = document.getElementById("cancel-dialog");
      dialog.querySelector("form").action = cancel.dataset.cancel;
      dialog.querySelector("[data-cancel-number]").textContent = cancel.dataset.number;
      dialog.showModal();
      dialog.addEventListener("close", () => cancel.isConnected && cancel.focus(), { once: true });
    }
    const hide = event.target.closest("[data-hide]");
    if (hide) {
      const token = document.querySelector("#board-form [name=csrfmiddlewaretoken]");
      const values = new URLSearchParams({ csrfmiddlewaretoken: token.value });
      fetch(hide.dataset.hide, { method: "POST", body: values }).then((answer) => {
        if (answer.ok) hide.closest("tr").remove();
      });
    }
  });
  setTimeout(poll, 500);
})();
