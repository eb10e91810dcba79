/* The chart of the balance, drawn from the table below it. */
(function () {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    const canvas = document.getElementById("balance-chart");
    const table = document.getElementById("balance-table");
    if (!canvas || !table || !window.Chart) return;
    const rows = [...table.tBodies[0].rows];
    const times = rows.map((row) => row.cells[0].querySelector("time").textContent.slice(5, 16));
    const values = rows.map((row) => Number(row.cells[1].dataset.value));
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const dark = document.documentElement.classList.contains("dark");
    const sets = [
      {
        label: canvas.dataset.line,
        data: values,
        borderColor: color(dark ? "--color-primary-400" : "--color-primary-600"),
        borderWidth: 2,
        pointRadius: values.length > 40 ? 0 : 2,
        stepped: "before",
      },
    ];
    if (canvas.dataset.threshold) {
      sets.push({
        label: canvas.dataset.thresholdWord,
        data: values.map(() => Number(canvas.dataset.threshold)),
        borderColor: dark ? "#f87171" : "#b91c1c",
        borderDash: [6, 4],
        borderWidth: 1.5,
        pointRadius: 0,
      });
    }
    const ink = dark ? "#cbd5e1" : "#475569";
    new window.Chart(canvas, {
      type: "line",
      data: { labels: times, datasets: sets },
      options: {
        animation: false,
        maintainAspectRatio: false,
        plugins: { legend: { labels: { color: ink, boxWidth: 18 } } },
        scales: {
          x: { ticks: { color: ink, maxTicksLimit: 6, maxRotation: 0 }, grid: { display: false } },
          y: { ticks: { color: ink }, grid: { color: dark ? "#334155" : "#e2e8f0" } },
        },
      },
    });
  });
})();
