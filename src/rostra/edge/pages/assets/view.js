// What the listening page shows, in the reader's language, from a model; it decides nothing.

import { text } from "./texts.js";

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DAY = { weekday: "long", day: "numeric", month: "long" };
const DAYS_FROM_MS = 48 * 3600 * 1000; // further away, days say more than hours

export const $ = (id) => document.getElementById(id);

// Screen readers repeat what is written again: write only what has changed.
const put = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words; };

export function clockFace(ms, language) {
  if (ms > DAYS_FROM_MS) return text(language, "days", { n: Math.floor(ms / 86_400_000) });
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

// `ms` in words of `language`, in the reader's regional habit where the browser tells it.
export function inWords(ms, language, options) {
  const locale = navigator.languages?.find((tag) => tag.startsWith(language)) ?? language;
  return new Intl.DateTimeFormat(locale, options).format(new Date(ms));
}

export const fullTime = (ms, language) => inWords(ms, language, { ...DAY, ...CLOCK });

// The announced time where the conversation is, if the clocks differ there; with the day, if that differs too.
function elsewhere({ starts_ms, timezone }, language) {
  const there = { ...CLOCK, timeZone: timezone };
  const same = (here, away) => inWords(starts_ms, language, here) === inWords(starts_ms, language, away);
  if (same({ ...DAY, ...CLOCK }, { ...DAY, ...there })) return "";
  const sameDay = same(DAY, { ...DAY, timeZone: timezone });
  const time = inWords(starts_ms, language, sameDay ? there : { ...DAY, ...there });
  return "· " + text(language, "starts_elsewhere", { there: time, zone: timezone.split("/").at(-1).replaceAll("_", " ") });
}

function about({ state, begun, doors_ms, starts_ms }, language) {
  if (state === "held") return text(language, begun ? "about_held" : "about_delayed");
  const doors = inWords(doors_ms, language, { weekday: "long", ...CLOCK });
  return text(language, `about_${state}`, { doors, since: inWords(starts_ms, language, CLOCK) });
}

function company(listeners, language) {
  if (listeners === 1) return text(language, "one_listener");
  return listeners ? text(language, "listeners", { n: listeners.toLocaleString(language) }) : "";
}

// The model: {conversation, speaker, status: [key, values], listening, muted}.
export function show({ conversation, speaker, status, listening, muted }, language) {
  const { state, starts_ms, title, listeners } = conversation;
  document.body.dataset.state = state;
  document.body.dataset.listening = String(listening);
  document.title = state === "live" ? `${text(language, "state_live")}: ${title}` : `${title} · Rostra`;
  put("state", text(language, `state_${state}`));
  put("when", fullTime(starts_ms, language));
  $("when").dateTime = new Date(starts_ms).toISOString();
  put("elsewhere", elsewhere(conversation, language));
  put("about", about(conversation, language));
  put("status", state === "ended" || state === "cancelled" ? "" : text(language, ...status));
  put("listeners", company(listeners, language));
  put("speaker", speaker ? text(language, "speaker", { name: speaker }) : "");
  put("listen-label", text(language, listening ? "pause" : "listen"));
  put("mute", text(language, muted ? "unmute" : "mute"));
  $("listen").hidden = state === "ended" || state === "cancelled";
}

// [what the clock counts, milliseconds]: towards the doors, towards the start, since then, or how late it is.
function counted({ state, begun, starts_ms, doors_ms }, now_ms) {
  if (state === "scheduled") return ["doors_in", doors_ms - now_ms];
  const since_ms = Math.max(0, now_ms - starts_ms - 999); // faces round up: what lasts is shown when it is full
  if (state === "live" || (state === "held" && begun)) return ["on_air", since_ms];
  return state === "held" ? ["late_by", since_ms] : ["begins_in", starts_ms - now_ms];
}

export function showClock(conversation, now_ms, language) {
  const [label, ms] = counted(conversation, now_ms);
  put("clock-label", text(language, label));
  put("clock", clockFace(ms, language));
}

export function showTechnical(stream, media, language) {
  const rows = media && stream ? [
    ["buffer", `${media.ahead_s.toFixed(2)} s (${media.buffer.target_s.toFixed(2)} s)`],
    ["cadence", `${Math.round(stream.cadence_s * 1000)} ms`],
    ["stalls", media.buffer.stalls], ["resumed", stream.resumed],
    ["speed", `${media.audio.playbackRate.toFixed(2)}×`],
    ["rendition", stream.rendition ?? ""], ["edge", stream.edge], ["chunk", stream.lastSeq],
  ] : [["technical_none", ""]];
  $("technical").replaceChildren(...rows.flatMap(([key, value]) => {
    const name = document.createElement("dt"), content = document.createElement("dd");
    name.textContent = text(language, key);
    content.textContent = value;
    return [name, content];
  }));
}

// What the host let everybody know; what was said about a start says nothing once it was.
export function hostNotice({ notice = "", notice_ms = 0, begun, starts_ms }) {
  return begun && notice_ms < starts_ms ? "" : notice;
}

export function showNotice(announced, host) {
  for (const [id, words] of [["notice", announced], ["host-notice", host]]) {
    put(id, words);
    $(id).hidden = words === "";
  }
}

// The waiting room: two sentences, or null when nobody waits here.
export function showWaiting(sentences, { spoken, possible }) {
  document.body.dataset.waiting = String(Boolean(sentences));
  $("waiting").hidden = !sentences;
  if (!sentences) return;
  put("waiting-place", sentences[0]);
  put("waiting-time", sentences[1]);
  $("waiting-spoken").hidden = !possible;
  $("waiting-spoken").setAttribute("aria-pressed", String(spoken));
}

// Captions are not announced: who has them read aloud would hear each word twice, and over the speakers.
export function showCaptions(lines, { available, shown, size }) {
  $("captions-shown").parentElement.hidden = !available;
  $("captions-shown").setAttribute("aria-pressed", String(shown));
  $("captions-size").hidden = !shown;
  $("captions").hidden = !available || !shown;
  $("captions").dataset.size = size;
  const told = lines.map(({ name, text }) => `${name}\n${text}`).join("\n\n");
  if ($("captions").dataset.told === told) return;
  $("captions").dataset.told = told;
  $("captions").replaceChildren(...lines.map(({ name, text }, index) => {
    const line = document.createElement("p"), who = document.createElement("b");
    // The newest line says who speaks, and each that is not of the one before: the first may be out of view.
    if (index === lines.length - 1 || name !== lines[index - 1]?.name) who.textContent = name;
    line.append(who, text);
    return line;
  }));
}
