"use strict";
// Plays what was recorded: it can be stopped, go on, and go to any step.
window.Player = (() => {
  const TICK_MS = 50;

  // messages are [second, message]; the page hears them, is cleared, draws and shows where we are.
  function start(messages, { hear, clear, draw, shown }) {
    const end = messages.length ? messages[messages.length - 1][0] : 0;
    let next = 0, second = 0, isPlaying = true, before = performance.now();

    function told(quietly) {
      while (next < messages.length && messages[next][0] <= second) {
        hear(messages[next][1], messages[next][0], quietly);
        next += 1;
      }
      if (next === messages.length) isPlaying = false;
      shown({ second, end, isPlaying, isOver: next === messages.length });
    }

    function seek(to) {
      clear();
      next = 0; second = to;
      told(true);
      draw(second);
    }

    function toggle() {
      if (next === messages.length) seek(0);
      isPlaying = !isPlaying;
      before = performance.now();
      told(false);
    }

    // The first moment of a step; it goes on from there as it did before.
    function step(wanted) {
      const found = messages.find(([, message]) => message.numbers && message.numbers.step === wanted);
      if (!found) return;
      const goesOn = isPlaying || next === messages.length;
      seek(found[0]);
      isPlaying = goesOn && next < messages.length;
      before = performance.now();
      told(false);
    }

    setInterval(() => {
      const now = performance.now();
      if (isPlaying) { second = Math.min(second + (now - before) / 1000, end); told(false); }
      before = now;
    }, TICK_MS);
    told(false);
    return { toggle, step };
  }

  return { start };
})();
