"use strict";
// Draws every chart of the page in the colours of the reader's scheme and in the room that there is,
// and again when either changes; on paper always in light colours.
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const PLOT_HEIGHT = 330, AXIS_HEIGHT = 56, SIDE_MARGINS = 84, KEY_WIDTH = 204, KEY_HEIGHT = 19;
  const PAPER_WIDTH = 500;
  let isPrinting = false;

  // The legend stands below the axis title, with a margin for as many rows as it takes.
  function bottomOf(chart, width) {
    const keys = chart.data.filter((trace) => trace.showlegend !== false).length;
    const perRow = Math.max(Math.floor((width - SIDE_MARGINS) / KEY_WIDTH), 1);
    return AXIS_HEIGHT + Math.ceil(keys / perRow) * KEY_HEIGHT;
  }

  function themed(layout, bottom) {
    const isDark = dark.matches && !isPrinting;
    const ink = isDark ? "#e8e8e8" : "#1c1c1c";
    const grid = isDark ? "#3a3a3a" : "#dddddd";
    const axis = { gridcolor: grid, zerolinecolor: grid };
    return {
      ...layout,
      margin: { ...layout.margin, b: bottom },
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
      const width = isPrinting ? PAPER_WIDTH : place.clientWidth;
      const height = PLOT_HEIGHT + bottomOf(chart, width);
      const config = { displaylogo: false, displayModeBar: false };
      place.style.height = `${height}px`;
      const layout = { ...themed(chart.layout, height - PLOT_HEIGHT), width, height };
      window.Plotly.react(place, chart.data, layout, config);
    }
  }

  function printing(is) {
    isPrinting = is;
    draw();
  }

  dark.addEventListener("change", draw);
  window.addEventListener("resize", draw);
  window.addEventListener("beforeprint", () => printing(true));
  window.addEventListener("afterprint", () => printing(false));
  draw();
})();
