// Asks again by itself while the server cannot be reached: after 2, 4, 8 ... seconds, and when there is hope.

const FIRST = 2, LONGEST = 30; // seconds

/** `failed(error, again)` gives the seconds until the next try, or null where none would help; `worked()` ends it. */
export function makeRetry() {
  let wait = FIRST, timer = null, waiting = null;

  function now() {
    if (!waiting || document.hidden) return; // who comes back to the page has it asked then
    const again = waiting;
    clearTimeout(timer);
    waiting = null;
    again();
  }

  addEventListener("online", now);
  document.addEventListener("visibilitychange", now);
  return {
    failed({ status }, again) {
      if (status && status < 500) return null; // the same would be refused again
      clearTimeout(timer);
      waiting = again;
      const seconds = wait;
      timer = setTimeout(now, 1000 * seconds);
      wait = Math.min(LONGEST, 2 * wait);
      return seconds;
    },
    worked() { wait = FIRST; this.stop(); },
    /** Something else is asked: that fails or works by itself. */
    stop() { clearTimeout(timer); waiting = null; },
  };
}
