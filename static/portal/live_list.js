/* Live updates of a list. Labels and cells change in place. Newer rows are announced and not
   inserted, so that nothing moves. The list's URL + "changes/" returns the updates. */
(function () {
  "use strict";

  const FIRST_MINUTE = 60000;
  const began = Date.now();
  let table = null;

  function rows() {
    const found = new Map();
    table.querySelectorAll("tbody tr").forEach((row) => {
      const link = row.querySelector("a[href*='/change/']");
      const id = link && link.getAttribute("href").match(/\/([^/]+)\/change\//);
      if (id) found.set(decodeURIComponent(id[1]), row);
    });
    return found;
  }

  const cellOf = (row, name) => row.querySelector(`.field-${name}`);

  function show(answer, shown) {
    for (const [id, row] of shown) {
      for (const [name, drawn] of Object.entries(answer.rows[id] || {})) {
        const cell = cellOf(row, name);
        if (!cell) continue;
        const place = cell.querySelector("a[href*='/change/']") || cell;
        const template = document.createElement("template");
        template.innerHTML = drawn;
        if (place.textContent.trim() === template.content.textContent.trim()) continue;
        // The link to the row stays and keeps its focus.
        if (place.querySelector(":focus")) continue;
        place.replaceChildren(template.content);
      }
    }
    announce(answer.newer);
  }

  function announce(text) {
    let line = document.getElementById("newer-rows");
    if (!line) {
      line = document.createElement("a");
      line.id = "newer-rows";
      line.className = "note note-info newer";
      line.setAttribute("role", "status");
      line.href = location.href;
      table.before(line);
    }
    line.hidden = !text;
    if (text && line.textContent !== text) line.textContent = text;
  }

  async function poll() {
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
    setTimeout(poll, Date.now() - began < FIRST_MINUTE ? 2000 : 5000);
  }

  document.addEventListener("DOMContentLoaded", () => {
    table = document.getElementById("result_list");
    if (table) setTimeout(poll, 2000);
  });
})();
