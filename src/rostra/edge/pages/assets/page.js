// The listening page: what is heard decides what is shown.

import { Media, playable } from "./media.js";
import { Meter } from "./meter.js";
import { ProgrammeStream } from "./stream.js";
import { chosenLanguage, keepLanguage, otherLanguage, text, translate } from "./texts.js";

const SAMPLES_PER_S = 48000;
const POLL_MS = 20000; // of the state, while nothing is heard

const $ = (id) => document.getElementById(id);
const audio = $("audio");
let conversation = JSON.parse($("conversation").textContent);
let language = chosenLanguage();
let clockOffset_ms = conversation.now_ms - Date.now();
let begun = conversation.begun, speaker = "", status = ["idle", {}];
let stream = null, media = null, meter = null, session = 0;
let coming = []; // events whose sample has not been heard yet

// --- what is shown ---------------------------------------------------------------------------------------

const say = (key, values) => text(language, key, values);
const now_ms = () => Date.now() + clockOffset_ms;
const put = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words; };

function clockFace(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d > 1) return say("days", { n: d });
  const two = (n) => String(n).padStart(2, "0");
  return d || h ? `${24 * d + h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DAY = { weekday: "long", day: "numeric", month: "long" };

// `ms` in words of the chosen language, in the reader's regional habit where the browser tells it.
function inWords(ms, options) {
  const locale = navigator.languages?.find((tag) => tag.startsWith(language)) ?? language;
  return new Intl.DateTimeFormat(locale, options).format(new Date(ms));
}

// The announced time where the conversation is, if the clocks differ there; with the day, if that differs too.
function elsewhere({ starts_ms, timezone }) {
  const there = { ...CLOCK, timeZone: timezone };
  if (inWords(starts_ms, { ...DAY, ...there }) === inWords(starts_ms, { ...DAY, ...CLOCK })) return "";
  const sameDay = inWords(starts_ms, { ...DAY, timeZone: timezone }) === inWords(starts_ms, DAY);
  const zone = timezone.split("/").at(-1).replaceAll("_", " ");
  return `· ${say("starts_elsewhere", { there: inWords(starts_ms, sameDay ? there : { ...DAY, ...there }), zone })}`;
}

function about() {
  const since = inWords(conversation.starts_ms, CLOCK);
  if (conversation.state === "held") return say(begun ? "about_held" : "about_delayed");
  return say(`about_${conversation.state}`, { doors: inWords(conversation.doors_ms, { weekday: "long", ...CLOCK }), since });
}

function show() {
  const { state, starts_ms } = conversation;
  document.body.dataset.state = state;
  put("state", say(`state_${state}`));
  put("when", inWords(starts_ms, { ...DAY, ...CLOCK }));
  $("when").dateTime = new Date(starts_ms).toISOString();
  put("elsewhere", elsewhere(conversation));
  put("about", about());
  put("status", say(...status));
  put("listeners", conversation.listeners === 1 ? say("one_listener") : conversation.listeners ? say("listeners", { n: conversation.listeners.toLocaleString(language) }) : "");
  put("speaker", speaker ? say("speaker", { name: speaker }) : "");
  const listening = Boolean(stream);
  $("listen").setAttribute("aria-pressed", String(listening));
  put("listen-label", say(listening ? "pause" : "listen"));
  $("listen").hidden = state === "ended" || state === "cancelled";
  put("mute", say(audio.muted ? "unmute" : "mute"));
  $("mute").setAttribute("aria-pressed", String(audio.muted));
  tick();
}

function tick() {
  const { state, starts_ms, doors_ms } = conversation;
  const [label, ms] = state === "scheduled" ? ["doors_in", doors_ms - now_ms()]
    : state === "live" || state === "held" ? ["on_air", now_ms() - starts_ms] : ["begins_in", starts_ms - now_ms()];
  put("clock-label", say(label));
  put("clock", clockFace(label === "on_air" ? Math.max(0, ms - 999) : ms));
  if ($("technical").closest("details").open) showTechnical();
}

function showTechnical() {
  const rows = media ? [
    ["buffer", `${media.ahead_s.toFixed(2)} s (${media.buffer.target_s.toFixed(2)} s)`], ["stalls", media.buffer.stalls],
    ["speed", `${audio.playbackRate.toFixed(2)}×`], ["rendition", stream.rendition ?? ""], ["edge", stream.edge], ["chunk", stream.lastSeq],
  ] : [];
  $("technical").replaceChildren(...rows.flatMap(([key, value]) => {
    const name = document.createElement("dt"), content = document.createElement("dd");
    name.textContent = say(key);
    content.textContent = value;
    return [name, content];
  }));
}

function setStatus(key, values) {
  if (status[0] === key && JSON.stringify(status[1]) === JSON.stringify(values)) return;
  status = [key, values];
  show();
}

// --- what happens ----------------------------------------------------------------------------------------

function happen(event) {
  switch (event.type) {
    case "hello": Object.assign(conversation, event.conversation); begun = conversation.begun; media?.buffer.cadence(event.cadence_ms / 1000); break;
    case "state": conversation.state = event.value; begun ||= event.value === "live"; if (event.value === "live") hideNotice(); break;
    case "notice": $("notice").textContent = event.text; $("notice").hidden = false; break;
    case "start": conversation.starts_ms = Number(event.value); setStatus("moved_start", { local: inWords(conversation.starts_ms, { ...DAY, ...CLOCK }) }); break;
    case "speaker": speaker = event.value; break;
    case "cadence": media?.buffer.cadence(event.cadence_ms / 1000); break;
    case "listeners": conversation.listeners = event.count; break;
    case "moved": setStatus("moved", { n: (event.missed / 10).toFixed(0) }); break;
    case "ended": conversation.state = event.reason; leaveWhenHeard(session); break;
  }
  show();
}

function hideNotice() {
  $("notice").hidden = true;
}

// An event with a sample happens when that sample is heard, the others at once.
function take(event) {
  if (event.at === undefined && event.type !== "ended") happen(event);
  else coming.push(event.at === undefined ? { ...event, at: ((stream.lastSeq + 1) / 10) * SAMPLES_PER_S } : event);
}

function hear() {
  const heard = media?.started ? audio.currentTime * SAMPLES_PER_S + 960 : -1;
  while (coming.length && coming[0].at <= heard) happen(coming.shift());
}

// --- listening -------------------------------------------------------------------------------------------

async function listen() {
  const mine = ++session;
  const current = () => mine === session;
  media = new Media(audio, (key, values) => current() && setStatus(key, values));
  stream = new ProgrammeStream(`/c/${conversation.id}`, {
    init: (bytes) => current() && media.init(bytes),
    media: (seq, bytes) => current() && media.append(bytes),
    event: (event) => current() && take(event),
    status: (key, values) => current() && setStatus(key, values),
  });
  setStatus("joining", {});
  show();
  audio.play().catch(() => undefined); // the tap's leave to play, taken now; the sound comes when it is there
  const renditions = await stream.join();
  if (!current()) return;
  clockOffset_ms = stream.clockOffset_ms || clockOffset_ms;
  if (!renditions) return leave(status[0]);
  const rendition = playable(renditions);
  if (!rendition) return plain();
  stream.rendition = rendition.name;
  await media.open(rendition.mime);
  setStatus("buffering", {});
  (meter ??= new Meter($("meter"), audio)).connect();
  announceToSystem();
  await stream.follow(rendition.name);
}

// No Media Source at all: the browser's own player on the plain stream.
function plain() {
  stream.stop();
  audio.controls = true;
  audio.src = `/c/${conversation.id}/live.${audio.canPlayType('audio/webm; codecs="opus"') ? "webm" : "mp4"}`;
  audio.play().catch(() => setStatus("unsupported", {}));
}

function leave(key = "idle") {
  session += 1;
  stream?.stop();
  media?.close();
  stream = media = null;
  coming = [];
  if ("mediaSession" in navigator) navigator.mediaSession.playbackState = "none";
  setStatus(key, status[0] === key ? status[1] : {});
  show();
}

function leaveWhenHeard(mine) {
  setTimeout(() => mine === session && leave("idle"), 1500);
}

function announceToSystem() {
  if (!("mediaSession" in navigator)) return;
  const system = navigator.mediaSession;
  system.metadata = new MediaMetadata({ title: conversation.title, artist: "Rostra", artwork: [{ src: "/assets/mark.svg", type: "image/svg+xml", sizes: "any" }] });
  system.playbackState = "playing";
  system.setActionHandler("play", () => stream || listen());
  for (const action of ["pause", "stop"]) system.setActionHandler(action, () => leave());
}

async function poll() {
  if (stream && media?.started) return;
  try {
    const answer = await fetch(`/c/${conversation.id}/state`);
    if (!answer.ok) return;
    conversation = await answer.json();
    clockOffset_ms = conversation.now_ms - Date.now();
    begun = conversation.begun;
    show();
  } catch { // the page stays as it is; the next poll may get through
    return;
  }
}

// --- the page --------------------------------------------------------------------------------------------

$("listen").addEventListener("click", () => (stream ? leave() : listen()));
$("mute").addEventListener("click", () => { audio.muted = !audio.muted; show(); });
$("volume").addEventListener("input", (event) => { audio.volume = Number(event.target.value); });
$("language").addEventListener("click", () => {
  language = otherLanguage(language);
  keepLanguage(language);
  translate(document, language);
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.target.closest("button, input, a, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "m") $("mute").click();
  if (event.key === " ") { event.preventDefault(); $("listen").click(); }
});

let polledState = "";
setInterval(() => {
  hear();
  tick();
  const due = conversation.state === "scheduled" && now_ms() >= conversation.doors_ms ? "doors" : conversation.state === "doors_open" && now_ms() >= conversation.starts_ms ? "start" : "";
  if (due !== polledState) { polledState = due; if (due) setTimeout(poll, 300 + Math.random() * 1500); }
}, 50);
setInterval(poll, POLL_MS * (0.75 + Math.random() / 2));
translate(document, language);
meter = new Meter($("meter"), audio);
show();
poll();
if (new URLSearchParams(location.search).has("autoplay")) listen();

// For tests: what a listener hears, read-only.
globalThis.rostra = Object.freeze({
  get state() { return conversation.state; },
  get status() { return status[0]; },
  get started() { return Boolean(media?.started); },
  get buffered_s() { return media?.ahead_s ?? 0; },
  get target_s() { return media?.buffer.target_s ?? 0; },
  get stalls() { return media?.buffer.stalls ?? 0; },
  get seq() { return stream?.lastSeq ?? -1; },
  get resumed() { return stream?.resumed ?? 0; },
  get time_s() { return audio.currentTime; },
  get rate() { return audio.playbackRate; },
  get rendition() { return stream?.rendition ?? ""; },
  get edge() { return stream?.edge ?? ""; },
  get level() { return meter?.level ?? 0; },
});
