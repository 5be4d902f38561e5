"use strict";
// Draws every chart of the page in the colours of the reader's scheme, and again when that changes.
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function themed(layout) {
    const ink = dark.matches ? "#e8e8e8" : "#1c1c1c";
    const grid = dark.matches ? "#3a3a3a" : "#dddddd";
    const axis = { gridcolor: grid, zerolinecolor: grid };
    return {
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: "system-ui, sans-serif", size: 13 },
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis },
    };
  }

  function draw() {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const chart = charts[Number(place.dataset.chart)];
      const config = { responsive: true, displaylogo: false, displayModeBar: false };
      window.Plotly.react(place, chart.data, themed(chart.layout), config);
    }
  }

  dark.addEventListener("change", draw);
  draw();
})();
