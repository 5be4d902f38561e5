"use strict";
// The wire between a shop (left) and its provider (right), and what moves on it.
window.Wires = (() => {
  const LINES = [0.36, 0.64], FLIGHT_MS = 900, PACKETS_MAX = 250, FRAMES_KEPT = 300;
  const wires = new Map();
  const frames = [];
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let packets = [], before = 0, colours = {}, em = 16;

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["useful", "wasted", "failed", "order", "line", "dim", "ink"]) {
      colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
    colours.refused = colours.failed;
  }

  // Texts grow with the page's.
  function measure() {
    em = parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  // Where the wire begins and ends between the names of its two ends.
  function span(canvas, ratio) {
    return [3.3 * em * ratio, canvas.width - 4.7 * em * ratio];
  }

  function add(name, canvas) {
    wires.set(name, { canvas, context: canvas.getContext("2d") });
  }

  function send(lane, direction, outcome) {
    if (still.matches || !wires.has(lane)) return;
    const born = performance.now() + Math.random() * 120;
    packets.push({ lane, direction, outcome, born, height: Math.random() });
    if (packets.length > PACKETS_MAX) packets = packets.slice(-PACKETS_MAX);
  }

  function fit({ canvas }) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    return ratio;
  }

  function ends(wire, ratio) {
    const { context, canvas } = wire;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = colours.line; context.lineWidth = ratio;
    const [from, to] = span(canvas, ratio);
    for (const y of LINES) {
      context.beginPath(); context.moveTo(from, canvas.height * y); context.lineTo(to, canvas.height * y); context.stroke();
    }
    context.fillStyle = colours.ink; context.font = `${em * ratio}px system-ui, sans-serif`;
    context.textBaseline = "middle"; context.textAlign = "left";
    context.fillText("shop", 6 * ratio, canvas.height * 0.5);
    context.textAlign = "right";
    context.fillText("provider", canvas.width - 6 * ratio, canvas.height * 0.5);
    context.fillStyle = colours.dim; context.textAlign = "center";
    context.fillText("asks →", (from + to) / 2, 0.6 * em * ratio);
    context.fillText("← is told", (from + to) / 2, canvas.height - 0.6 * em * ratio);
  }

  // A question goes right and its answer comes back; a webhook comes from the right.
  function place(packet, share) {
    if (packet.direction === "webhook") return { x: 1 - share, y: LINES[1] };
    return share < 0.5 ? { x: share * 2, y: LINES[0], asks: true } : { x: 2 - share * 2, y: LINES[0] };
  }

  function draw(now) {
    if (before) { frames.push(now - before); if (frames.length > FRAMES_KEPT) frames.shift(); }
    before = now;
    const ratios = new Map();
    for (const [name, wire] of wires) { const ratio = fit(wire); ratios.set(name, ratio); ends(wire, ratio); }
    packets = packets.filter((packet) => now - packet.born < FLIGHT_MS);
    for (const packet of packets) {
      const share = (now - packet.born) / FLIGHT_MS;
      if (share < 0) continue;
      const { context, canvas } = wires.get(packet.lane), ratio = ratios.get(packet.lane);
      const at = place(packet, share);
      const [from, to] = span(canvas, ratio);
      context.fillStyle = at.asks && packet.outcome !== "order" ? colours.dim : colours[packet.outcome];
      context.beginPath();
      const y = canvas.height * at.y + (packet.height - 0.5) * em * ratio;
      context.arc(from + (to - from) * at.x, y, (packet.direction === "webhook" ? 0.4 : 0.3) * em * ratio, 0, 7);
      context.fill();
    }
    requestAnimationFrame(draw);
  }

  function frameTimes() {
    const sorted = [...frames].sort((a, b) => a - b);
    return { p50: sorted[Math.floor(sorted.length * 0.5)] || 0, p95: sorted[Math.floor(sorted.length * 0.95)] || 0 };
  }

  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
  window.addEventListener("resize", measure);
  readColours();
  measure();
  requestAnimationFrame(draw);
  return { add, send, frameTimes, count: () => packets.length };
})();
