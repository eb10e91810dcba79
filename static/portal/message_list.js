/* A list of messages or of codes follows its rows. Nothing moves: labels change where they stand,
   and newer messages are announced, not pushed in. */
(function () {
  "use strict";

  const FIRST_MINUTE = 60000;
  const began = Date.now();
  let table = null;

  const idOf = (row) => {
    const link = row.querySelector("a[href*='/change/']");
    const found = link && link.getAttribute("href").match(/\/([^/]+)\/change\//);
    return found ? decodeURIComponent(found[1]) : null;
  };

  function rows() {
    const found = new Map();
    table.querySelectorAll("tbody tr").forEach((row) => {
      const id = idOf(row);
      if (id) found.set(id, row);
    });
    return found;
  }

  function show(answer, shown) {
    for (const [id, row] of shown) {
      if (row.contains(document.activeElement)) continue;
      const label = (answer.states || {})[id];
      if (label) swap(row.querySelector(".state"), label);
      for (const [name, content] of Object.entries((answer.cells || {})[id] || {})) {
        const cell = row.querySelector(`.field-${name}`);
        if (cell) fill(cell.querySelector("a") || cell, content);
      }
    }
    announce(answer.newer);
  }

  function read(html) {
    const made = document.createElement("template");
    made.innerHTML = html;
    return made.content;
  }

  function swap(old, label) {
    const made = read(label).firstChild;
    if (old && old.textContent !== made.textContent) old.replaceWith(made);
  }

  function fill(place, content) {
    const made = read(content);
    if (place.textContent.trim() !== made.textContent.trim()) place.replaceChildren(made);
  }

  function announce(text) {
    let line = document.getElementById("newer-messages");
    if (!line) {
      line = document.createElement("a");
      line.id = "newer-messages";
      line.className = "note note-info newer";
      line.setAttribute("role", "status");
      line.href = location.href;
      table.before(line);
    }
    line.hidden = !text;
    if (text && line.textContent !== text) line.textContent = text;
  }

  async function look() {
    const shown = rows();
    if (!document.hidden && shown.size) {
      const answer = await fetch("changes/" + location.search, {
        headers: { "X-Rows": [...shown.keys()].join(","), Accept: "application/json" },
      }).catch(() => null);
      if (answer && (answer.status === 401 || answer.status === 403)) {
        const note = document.getElementById("signed-out-note");
        if (note) note.innerHTML = await answer.text();
        return;
      }
      if (answer && answer.ok) show(await answer.json(), shown);
    }
    setTimeout(look, Date.now() - began < FIRST_MINUTE ? 2000 : 5000);
  }

  document.addEventListener("DOMContentLoaded", () => {
    table = document.getElementById("result_list");
    if (table) setTimeout(look, 2000);
  });
})();
