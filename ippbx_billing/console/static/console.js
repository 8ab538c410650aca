// What makes the first page live. Without it the page loads itself anew now and then.
"use strict";

const MOST_ROWS = 50, TICK_MS = 5000, SLOW_TICKS = 6;
const rows = document.getElementById("live");

if (rows) {
  let source = null, ticks = 0;
  const state = document.getElementById("live-state");
  const tell = (on) => { state.textContent = on ? state.dataset.on : state.dataset.off; };

  const close = () => { if (source) { source.close(); source = null; } };

  // One stream for each page that somebody sees: a browser opens no more than six connections to a server.
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource("/live?after=" + rows.dataset.position);
    source.onopen = () => tell(true);
    source.onerror = () => { tell(false); if (source && source.readyState === EventSource.CLOSED) { close(); setTimeout(open, TICK_MS); } };
    source.addEventListener("calls", (event) => {
      rows.dataset.position = event.lastEventId;
      rows.insertAdjacentHTML("afterbegin", event.data);
      const empty = document.getElementById("live-empty");
      if (empty) empty.remove();
      for (const row of [...rows.rows].filter((one) => !one.dataset.seen)) { row.classList.add("new"); row.dataset.seen = "1"; }
      while (rows.rows.length > MOST_ROWS) rows.lastElementChild.remove();
    });
    source.addEventListener("bye", () => { close(); setTimeout(open, TICK_MS); });
  };

  for (const row of rows.rows) row.dataset.seen = "1";
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  setInterval(() => {
    if (document.hidden) return;
    htmx.trigger(document.body, "tick");
    if (++ticks % SLOW_TICKS === 0) htmx.trigger(document.body, "slow-tick");
  }, TICK_MS);
  open();
}
