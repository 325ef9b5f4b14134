// The page's one script: it takes in what the server tells, and asks before it does what a person wants.
// All HTML comes from the server, which escapes every text of AWS; what comes as text is put in as text.

const pipeline = document.body.dataset.pipeline;
const at = (id) => document.getElementById(id);
const base = pipeline ? `pipelines/${encodeURIComponent(pipeline)}/` : "";

// --- panels: what changed is changed in place, so that focus, selection and what is unfolded stay ------------------

function take(name, html) {
  const old = at(name);
  if (!old) return;
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  children(old, fresh);
  old.removeAttribute("aria-busy");
  tick();
  if (name === "release") title();
  if (name === "builds") follow();
  if (name === "places" && !pipeline) {
    const first = old.querySelector("a");
    if (first) location.assign(first.href);
  }
}

function children(old, fresh) {
  const kept = [...old.childNodes];
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, index) => {
    const there = kept[index];
    if (!there) old.append(node);
    else if (!alike(there, node)) there.replaceWith(node);
    else if (there.nodeType === Node.ELEMENT_NODE) element(there, node);
    else if (there.nodeValue !== node.nodeValue) there.nodeValue = node.nodeValue;
  });
  kept.slice(wanted.length).forEach((node) => node.remove());
}

const alike = (one, other) => one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

function element(old, fresh) {
  const local = old.nodeName === "DETAILS" ? ["open"] : ["aria-pressed"];
  for (const { name, value } of fresh.attributes) {
    if (!local.includes(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!local.includes(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  if (old.nodeName !== "TIME") children(old, fresh);
}

function title() {
  const head = document.querySelector("#release .headline");
  const sign = { good: "✓", bad: "✗", busy: "…", wait: "?" }[head?.dataset.tone] ?? "";
  document.title = `${sign} ${pipeline} · homeport`.trim();
  const news = head ? `${head.querySelector(".status").textContent}: ${head.querySelector(".subject").textContent}` : "";
  if (at("news").textContent !== news) at("news").textContent = news;
}

// --- times: the server tells moments, the page how long ago they are -------------------------------------------------

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function ago(seconds) {
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? [];
  if (!unit) return seconds < 5 ? "now" : `${Math.floor(seconds / 5) * 5} sec. ago`;
  return words.format(-Math.floor(seconds / length), unit);
}

function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  const two = (number) => String(number).padStart(2, "0");
  return minutes < 60 ? `${minutes}m ${two(whole % 60)}s` : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

function tick() {
  for (const each of document.querySelectorAll("time")) {
    const seconds = (Date.now() - Date.parse(each.dateTime)) / 1000;
    const text = "since" in each.dataset ? lasting(seconds) : ago(seconds);
    if (each.textContent !== text) each.textContent = text;
  }
}
setInterval(tick, 1000);

// --- the stream: nothing is asked for while nobody looks -------------------------------------------------------------

let stream;

function listen() {
  stream = new EventSource(`${base}events`);
  stream.onopen = () => live("live", "live");
  stream.onerror = () => live("lost", "no answer; is homeport console running?");
  stream.addEventListener("panel", (event) => {
    const { name, html } = JSON.parse(event.data);
    take(name, html);
  });
  stream.addEventListener("gone", (event) => {
    const why = JSON.parse(event.data);
    at("gone").textContent = why;
    at("gone").hidden = !why;
    live(why ? "lost" : "live", why ? "not answered" : "live");
  });
}

function live(state, text) {
  at("live").dataset.state = state;
  at("live").lastElementChild.textContent = text;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    log.pause();
  } else {
    listen();
    log.resume();
  }
});

// --- a log: that of the newest build, until a person chooses another ---------------------------------------------------

const MOST = 2000;
const log = {
  address: "", name: "", isChosen: false, stream: undefined,
  show(address, name, isChosen) {
    this.isChosen = isChosen;
    if (address === this.address) return;
    Object.assign(this, { address, name });
    at("log").hidden = false;
    this.pause();
    this.resume();
  },
  pause() {
    this.stream?.close();
  },
  resume() {
    if (!this.address) return;
    const lines = at("log-lines");
    lines.replaceChildren();
    at("log-state").textContent = "";
    at("log-name").textContent = this.name;
    this.stream = new EventSource(this.address);
    this.stream.onopen = () => lines.replaceChildren();
    this.stream.addEventListener("lines", (event) => this.add(JSON.parse(event.data)));
    this.stream.addEventListener("end", (event) => {
      at("log-state").textContent = JSON.parse(event.data).why || "ended";
      this.pause();
    });
    this.press();
  },
  add(texts) {
    const lines = at("log-lines");
    const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(...texts.slice(-MOST).map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      if (text.startsWith("[Container]")) line.className = "own";
      return line;
    }));
    while (lines.childElementCount > MOST) lines.firstElementChild.remove();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  },
  press() {
    for (const each of document.querySelectorAll("#builds [data-log]")) {
      const isShown = each.dataset.log === this.address;
      each.setAttribute("aria-pressed", String(isShown));
      if (isShown) at("log-name").textContent = each.dataset.name;
    }
  },
};

function follow() {
  const newest = document.querySelector("#builds [data-log]");
  if (newest && !log.isChosen) log.show(newest.dataset.log, newest.dataset.name, false);
  log.press();
}

// --- what a person does ------------------------------------------------------------------------------------------------

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.log) {
    const newest = document.querySelector("#builds [data-log]")?.dataset.log;
    log.show(button.dataset.log, button.dataset.name, button.dataset.log !== newest);
    at("log").scrollIntoView({ block: "nearest", behavior: "smooth" });
    at("log-lines").focus({ preventScroll: true });
  } else if (button?.dataset.look) {
    tell(await send(`${base}look/${button.dataset.look}`, {}));
  } else if (button?.dataset.copy) {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    tell({ said: "Copied." });
  }
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".act")) return;
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form)); // as it is now: the panel may change while the question stands
  const action = form.getAttribute("action");
  const answer = await ask(form);
  if (answer) tell(await send(action, { ...given, ...answer, confirmed: "yes" }));
});

function ask(form) {
  const dialog = at("ask");
  const yes = at("ask-yes");
  at("ask-title").textContent = form.dataset.title;
  at("ask-text").textContent = form.dataset.text;
  at("ask-comment").hidden = !("comment" in form.dataset);
  at("ask-choice").hidden = !form.dataset.choice;
  at("ask-choice").querySelector("span").textContent = form.dataset.choiceText ?? "";
  yes.textContent = form.querySelector("button").textContent;
  yes.className = `button ${form.dataset.tone || "primary"}`;
  dialog.querySelector("form").reset();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const comment = dialog.querySelector("[name=comment]").value.trim();
      const chosen = form.dataset.choice && dialog.querySelector("[name=choice]").checked;
      const answer = { ...(comment && { comment }), ...(chosen && { [form.dataset.choice]: "yes" }) };
      resolve(dialog.returnValue === "yes" ? answer : null);
    }, { once: true });
  });
}

async function send(address, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    return answer.headers.get("Content-Type") === "application/json" ? JSON.parse(text) : { failed: text };
  } catch {
    return { failed: "No answer; is homeport console running?" };
  }
}

function tell({ said, failed }) {
  const line = document.createElement("p");
  line.textContent = failed ?? said;
  if (failed) line.className = "failed";
  at("said").append(line);
  setTimeout(() => line.remove(), failed ? 12000 : 5000);
}

if (!document.hidden) listen();
