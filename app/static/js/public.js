// The countdown of a held place. Without this script the page says until when it is kept.
(function () {
  "use strict";
  const line = document.querySelector(".countdown[data-until]");
  if (!line) return;
  const text = line.querySelector(".countdown-text");
  // The server's clock counts: the difference to this device's is taken once.
  const skew = Date.parse(line.dataset.now) - Date.now();
  const until = Date.parse(line.dataset.until);
  let spoken = null;
  function tick() {
    const left = Math.max(0, Math.round((until - Date.now() - skew) / 1000));
    if (left === 0) {
      line.setAttribute("role", "alert");
      text.textContent = line.dataset.over;
      return;
    }
    const minutes = Math.floor(left / 60);
    const seconds = String(left % 60).padStart(2, "0");
    // A screen reader hears it once a minute, not every second.
    line.setAttribute("aria-live", minutes === spoken ? "off" : "polite");
    spoken = minutes;
    text.textContent = line.dataset.left.replace("{time}", minutes + ":" + seconds);
    window.setTimeout(tick, 1000);
  }
  tick();
})();
