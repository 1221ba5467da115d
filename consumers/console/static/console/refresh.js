/* Keeps a page's part up to date while it says that it moves: every two seconds, not in a hidden tab, one request at a time. */
import { morph } from "./morph.js";

const EVERY_MS = 2000, LONGEST_MS = 10000;
const shown = document.getElementById("refreshed");
let timer = 0, busy = false;

async function refresh() {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(LONGEST_MS) });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("refreshed");
    if (fresh) morph(shown, fresh);
  } catch {
    // the shop cannot be reached just now: what is shown stays, and it is asked again
  }
  busy = false;
  later();
}

function later() {
  if (!document.hidden && "refresh" in shown.dataset) timer = setTimeout(refresh, EVERY_MS);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : later()));
later();
