/* Keeps the home's live part up to date: every two seconds, not in a hidden tab, one request at a time. */
import { morph } from "./morph.js";

const EVERY_MS = 2000, LONGEST_MS = 10000;
const pulse = document.getElementById("pulse"), live = document.getElementById("live"), acts = document.getElementById("acts"), said = document.getElementById("said");
let timer = 0, busy = false, lostAt = null;

/** Says how the page is. Only a change is said, or a screen reader would speak every two seconds. */
function say(state, text) {
  pulse.dataset.state = state;
  if (pulse.textContent !== text) pulse.textContent = text;
}

function lost(why) {
  lostAt ??= new Date();
  say("lost", `${why} What you see is of ${lostAt.toLocaleTimeString()} or before; it is tried again.`);
}

function signedOut() {
  const link = Object.assign(document.createElement("a"), { href: location.href, textContent: "Sign in" });
  say("lost", "You are signed out. ");
  pulse.append(link);
}

/** What a button has done is said until another one does something. */
function hear(news) {
  news.remove();
  if (news.children.length) said.replaceChildren(...news.children);
}

async function show(answer) {
  if (!answer.ok) return lost(answer.status === 503 ? "The database does not answer." : `The shop answers ${answer.status}.`);
  if (new URL(answer.url).pathname !== pulse.dataset.url) return signedOut();
  const fresh = live.cloneNode(false);
  fresh.append(document.createRange().createContextualFragment(await answer.text()));
  hear(fresh.querySelector("#said"));
  morph(live, fresh);
  lostAt = null;
  say("live", "Live, every two seconds.");
}

async function ask(url, options = {}) {
  if (busy && !options.method) return;
  busy = true;
  clearTimeout(timer);
  try {
    await show(await fetch(url, { headers: { "X-Live": "yes", Accept: "text/html" }, signal: AbortSignal.timeout(LONGEST_MS), ...options }));
  } catch {
    lost("The shop cannot be reached.");
  }
  busy = false;
  if (!document.hidden) timer = setTimeout(refresh, EVERY_MS);
}

const refresh = () => ask(pulse.dataset.url);

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
acts.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(event.submitter.formAction, { method: "POST", body: new FormData(acts) });
});
say("live", "Live, every two seconds.");
timer = setTimeout(refresh, EVERY_MS);
