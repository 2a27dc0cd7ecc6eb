// The listening page: what is heard decides what is shown.

import { Captions, chosenCaptions, keepCaptions, nextSize } from "./captions.js";
import { ServerClock } from "./clock.js";
import { Media, playable } from "./media.js";
import { Meter } from "./meter.js";
import { Receipts } from "./receipts.js";
import { ProgrammeStream } from "./stream.js";
import { chosenLanguage, keepLanguage, otherLanguage, translate } from "./texts.js";
import {
  $, fullTime, hostNotice, show as render, showCaptions, showClock, showNotice, showTechnical, showWaiting,
} from "./view.js";
import { HoldMusic, Seat, Voice, words } from "./waiting.js";

const SAMPLES_PER_S = 48000, CHUNK_SAMPLES = 4800;
const NEAR_SAMPLES = 960; // an event is due from a frame before its sample on: the page looks every 50 ms
const LOOK_MS = 50;
const POLL_MS = 20000; // of the state, while nothing is heard
const POLL_SPREAD_MS = 1500; // when something is due everybody asks: not in the same instant
const OVERDUE_MS = 3000; // what was due has not happened: ask again
const NEWS_MS = 20000; // how long something that happened stays in the place of "Sound is on."
const ENDING_MS = 1500; // from the last chunk's place in the clock until its sound has left the speaker
const BROKEN_PAUSE_MS = 1000; // before a browser whose decoder gave up gets another stream

const audio = $("audio"), meter = new Meter($("meter")), clock = new ServerClock();
let conversation = JSON.parse($("conversation").textContent);
let language = chosenLanguage();
let speaker = "", announced = "", status = ["idle", {}], newsUntil_ms = 0;
let stream = null, media = null, session = 0, waiting = null;
const hold = new HoldMusic(audio), voice = new Voice(audio), seat = new Seat(conversation.id, () => localStorage);
const captions = new Captions(), receipts = new Receipts(conversation.id);
let reading = chosenCaptions(() => localStorage);
let coming = []; // events whose sample has not been heard yet; as many as the player's buffer is long

// --- what is shown ---------------------------------------------------------------------------------------

function show() {
  showNotice(announced, hostNotice(conversation));
  render({ conversation, speaker, status, listening: Boolean(stream), muted: audio.muted }, language);
  tick();
}

function tick() {
  showClock(conversation, clock.now_ms, language);
  const heard = (media?.started ? audio.currentTime : 0) * SAMPLES_PER_S;
  showCaptions(captions.lines(heard), { ...reading, available: Boolean(conversation.captions) });
  showWaiting(waiting && words(waiting, language), { spoken: voice.wanted, possible: voice.possible });
  if ($("details").open) showTechnical(stream, media, language);
}

function setStatus(key, values = {}) {
  if (key === "full" || key === "retry_in") receipts.refuse();
  if (key === "blocked" && stream) return leave(key); // the next tap on Listen has the leave that was missing
  if (key === "playing" && performance.now() < newsUntil_ms) return;
  newsUntil_ms = 0;
  if (status[0] === key && JSON.stringify(status[1]) === JSON.stringify(values)) return;
  status = [key, values];
  show();
}

function tellNews(key, values) {
  setStatus(key, values);
  newsUntil_ms = performance.now() + NEWS_MS;
  setTimeout(calm, NEWS_MS);
}

// Whatever was wrong, it is over if the sound moves.
function calm() {
  if (media?.started && !media.dry && !audio.paused) setStatus("playing");
}

// --- what happens ----------------------------------------------------------------------------------------

function happen(event) {
  switch (event.type) {
    case "conversation": Object.assign(conversation, event.value); break;
    case "state": become(event.value); break;
    case "notice": tell(event); break;
    case "start": moveStart(Number(event.value)); break;
    case "caption": captions.take(event); break;
    case "captions": conversation.captions = event.available; break;
    case "speaker": speaker = event.value; break;
    case "cadence": media?.buffer.cadence(event.cadence_ms / 1000); break;
    case "listeners": conversation.listeners = event.count; break;
    case "moved": tellNews("moved", { n: Math.max(1, Math.round(event.missed / 10)) }); break;
    case "ended": end(event.reason); break;
  }
  show();
}

// Of what is said by machine, or of what the host lets everybody know.
function tell({ value, text = "" }) {
  if (value === "host") Object.assign(conversation, { notice: text, notice_ms: clock.now_ms });
  else announced = text;
}

function become(state) {
  conversation.state = state;
  if (state === "live") {
    conversation.begun = true;
    announced = "";
  } else {
    speaker = "";
  }
}

function moveStart(starts_ms) {
  if (starts_ms === conversation.starts_ms) return;
  conversation.starts_ms = starts_ms;
  tellNews("moved_start", { local: fullTime(starts_ms, language) });
}

function end(reason) {
  const mine = session;
  conversation.state = reason;
  speaker = "";
  setTimeout(() => {
    if (mine === session) leave();
    meter.rest();
  }, ENDING_MS);
}

// An event with a sample happens when that sample is heard, the others at once.
function take(event) {
  if (event.type === "hello") return greet(event);
  if (event.type === "ended") {
    media?.finish();
    keep({ ...event, at: (stream.lastSeq + 1) * CHUNK_SAMPLES });
  } else if (event.at === undefined) {
    happen(event);
  } else {
    keep(event);
  }
}

function keep(event) {
  coming.push(event);
  coming.sort((one, other) => one.at - other.at);
}

// An edge tells how things stand at its newest chunk; who resumes has not heard that yet.
function greet({ cadence_ms, conversation: now }) {
  media.buffer.cadence(cadence_ms / 1000);
  const news = { type: "conversation", value: now };
  if (media.started && now.seq !== null) keep({ ...news, at: now.seq * CHUNK_SAMPLES });
  else happen(news);
}

function hear() {
  let heard = media?.started ? audio.currentTime * SAMPLES_PER_S + NEAR_SAMPLES : -1;
  if (!media?.started && coming.at(-1)?.type === "ended") heard = Infinity; // over before anything was heard
  while (coming.length && coming[0].at <= heard) happen(coming.shift());
}

// Every minute of what was heard is signed, if the listener wants that.
let counted_ms = performance.now();
function count() {
  const now_ms = performance.now(), elapsed_ms = now_ms - counted_ms;
  counted_ms = now_ms;
  if (!stream) return;
  const sounds = Boolean(media?.started) && !media.dry && !audio.paused;
  const minute = receipts.pass(now_ms, elapsed_ms, sounds);
  if (minute) receipts.say(minute, stream.edge, clock.now_ms).then(showReceipts, noReceipts);
}

function showReceipts(kept = true) {
  $("receipts").hidden = !receipts.possible;
  $("receipts-save").hidden = !receipts.saved.length;
  if (!kept) noReceipts();
}

// No ledger is kept here, or this browser makes no keys.
function noReceipts() {
  $("receipts-wanted").checked = receipts.wanted = false;
  $("receipts-none").hidden = false;
}

function saveReceipts() {
  const file = URL.createObjectURL(new Blob([receipts.file], { type: "application/x-ndjson" }));
  const link = Object.assign(document.createElement("a"), { href: file, download: `${conversation.id}.receipts` });
  link.click();
  URL.revokeObjectURL(file);
}

// --- listening -------------------------------------------------------------------------------------------

async function listen() {
  const mine = ++session;
  // What a stream or a sound that was left still says is no news.
  const current = (then) => (...said) => { if (mine === session) then(...said); };
  stream = new ProgrammeStream(`/c/${conversation.id}`, {
    init: current((bytes) => media.init(bytes)),
    media: current((seq, bytes) => { receipts.chunk(seq); media.append(bytes); }),
    event: current(take),
    status: current(setStatus),
    flowing: current(calm),
    time: (now_ms, took_ms) => clock.hear(now_ms, took_ms),
    waiting: current(wait),
  }, { pass: sitePass(), seat });
  receipts.ask(performance.now());
  setStatus("joining");
  show();
  // The tap's leave to play is taken now; the sound comes when it is there, perhaps when the doors open.
  audio.play().catch(() => undefined);
  meter.prepare();
  const renditions = await stream.join();
  if (mine !== session) return;
  waiting = null;
  voice.silence();
  if (!renditions) return hold.stop(); // over: then an event says so
  hold.handOver();
  if (stream.copy.length) return plain("copy", stream.copy);
  media = new Media(audio, { status: current(setStatus), paused: current(() => leave()), broken: current(repair) });
  const rendition = playable(renditions);
  if (!rendition) return plain();
  await media.open(rendition.mime);
  if (mine !== session) return;
  setStatus("buffering");
  announceToSystem();
  audio.addEventListener("playing", () => mine === session && meter.connect(audio), { once: true });
  await stream.follow(rendition.name);
}

// The site sends whom it knows here with a ticket behind the #. It is theirs: the address that is shared has none.
function sitePass() {
  const kept = `pass ${conversation.id}`, given = new URLSearchParams(location.hash.slice(1)).get("pass");
  try {
    if (given) {
      sessionStorage.setItem(kept, given);
      history.replaceState(null, "", location.pathname + location.search);
    }
    return given ?? sessionStorage.getItem(kept) ?? "";
  } catch {
    return given ?? ""; // a browser that keeps nothing
  }
}

// In the waiting room: music, the place, and what the host lets everybody know.
function wait(answer) {
  waiting = answer;
  conversation = answer.conversation;
  hold.start(() => setStatus("blocked"));
  setStatus("waiting");
  voice.say(words(answer, language), language);
  show();
}

// No Media Source at all, or a copy at a CDN: the browser's own player on a plain stream.
function plain(why = "unsupported", sources = []) {
  leave(why);
  document.body.dataset.ready = "plain";
  if (sources.length) {
    $("plain").replaceChildren(...sources.map(({ url, mime }) => {
      const source = document.createElement("source");
      return Object.assign(source, { src: url, type: mime });
    }));
    $("plain").load();
  }
  $("plain").play().catch(() => undefined); // its own controls are in view: a tap on them will do
}

function repair() {
  leave("buffering");
  const mine = session;
  setTimeout(() => mine === session && listen(), BROKEN_PAUSE_MS);
}

function leave(key = "idle") {
  session += 1;
  stream?.stop();
  meter.disconnect();
  hold.stop();
  voice.silence();
  media?.close();
  stream = media = waiting = null;
  coming = [];
  captions.clear();
  if ("mediaSession" in navigator) navigator.mediaSession.playbackState = "none";
  newsUntil_ms = 0;
  setStatus(key);
  show();
}

function announceToSystem() {
  if (!("mediaSession" in navigator)) return;
  const system = navigator.mediaSession, artwork = [{ src: $("artwork").href, type: "image/png", sizes: "512x512" }];
  system.metadata = new MediaMetadata({ title: conversation.title, artist: "Rostra", artwork });
  system.playbackState = "playing";
  system.setActionHandler("play", () => stream || listen());
  for (const action of ["pause", "stop"]) system.setActionHandler(action, () => leave());
}

// --- what the edge knows, while nothing is heard -----------------------------------------------------------

async function poll() {
  const answer = await fetch(`/c/${conversation.id}/state`).catch(() => null);
  const now = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!now) return; // the page stays as it is; the next poll may get through
  clock.hear(now.now_ms);
  if (media?.started) return; // what is heard decides
  conversation = now;
  show();
}

let lookAgain_ms = 0;
function lookForNews() {
  const { state, doors_ms, starts_ms } = conversation;
  const due_ms = { scheduled: doors_ms, doors_open: starts_ms }[state];
  if (due_ms === undefined || clock.now_ms < due_ms || performance.now() < lookAgain_ms || media?.started) return;
  lookAgain_ms = performance.now() + OVERDUE_MS;
  setTimeout(poll, Math.random() * POLL_SPREAD_MS);
}

function wake() {
  stream?.wake();
  poll();
}

// --- the page --------------------------------------------------------------------------------------------

// Whoever presses Stop gives the place to others; whoever reloads, or whose phone rings, keeps it.
function depart() {
  if (!waiting) seat.keep({});
  leave();
}

$("listen").addEventListener("click", () => (stream ? depart() : listen()));
$("waiting-spoken").addEventListener("click", () => {
  voice.want(!voice.wanted);
  if (waiting) voice.say(words(waiting, language), language);
  tick();
});
$("mute").addEventListener("click", () => { audio.muted = !audio.muted; show(); });
$("volume").addEventListener("input", (event) => { audio.volume = Number(event.target.value); });
$("language").addEventListener("click", () => {
  language = otherLanguage(language);
  keepLanguage(language);
  translate(document, language);
  show();
});
function read(choice) {
  reading = { ...reading, ...choice };
  keepCaptions(reading, () => localStorage);
  tick();
}

$("captions-shown").addEventListener("click", () => read({ shown: !reading.shown }));
$("captions-size").addEventListener("click", () => read({ size: nextSize(reading.size) }));
$("receipts-wanted").addEventListener("change", (event) => {
  receipts.wanted = event.target.checked;
  $("receipts-none").hidden = true;
});
$("receipts-save").addEventListener("click", saveReceipts);
$("details").addEventListener("toggle", tick);
document.addEventListener("keydown", (event) => {
  if (event.target.closest("button, input, a, summary, audio") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "m") $("mute").click();
  if (event.key === "c" && conversation.captions) $("captions-shown").click();
  if (event.key === " ") {
    event.preventDefault();
    $("listen").click();
  }
});
addEventListener("online", wake);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());

audio.volume = 0.5;
$("volume").hidden = audio.volume !== 0.5; // where only the phone's own buttons set the volume
audio.volume = 1;
document.body.dataset.ready = "yes";
clock.hear(conversation.now_ms);
translate(document, language);
show();
poll();
showReceipts();
setInterval(() => { hear(); count(); tick(); lookForNews(); }, LOOK_MS);
setInterval(() => media?.started || waiting || poll(), POLL_MS * (0.75 + Math.random() / 2));
if (new URLSearchParams(location.search).has("autoplay")) listen();

// For tests and the curious: what a listener hears, read-only.
globalThis.rostra = Object.freeze({
  get state() { return conversation.state; },
  get status() { return status[0]; },
  get number() { return waiting?.number ?? 0; },
  get wait_s() { return waiting?.wait_s ?? null; },
  get music() { return hold.playing && !audio.paused && audio.currentTime > 0; },
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
  get level() { return meter.level; },
});
