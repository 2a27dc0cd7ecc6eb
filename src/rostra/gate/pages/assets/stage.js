// The stage page: the door with the microphone, then the desk with mute and leave; the people below, always.

import { check } from "./check.js";
import { People } from "./people.js";
import { Session } from "./session.js";
import { preferred, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const conversation = JSON.parse($("conversation").textContent);
const KEY = `rostra.stage.${conversation.id}`; // the invitation, for a reload of this tab
const TICK_MS = 100;

let language = preferred();
let state = null; // the newest that the gate said
let clock_ms = 0; // the gate's clock minus ours
let microphone = null, session = null;
let onStage = false, asked = false, waitingForHand = false, lost = false;
let holding = false;
let meter = null;

const say = (key, values) => word(language, key, values);
const put = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words; };

function tell(words) {
  put("problem", words ?? "");
  $("problem").hidden = !words;
}

// --- who we are ----------------------------------------------------------------------------------------------

async function invitation() {
  const link = new URLSearchParams(location.hash.slice(1));
  if (link.get("name")) $("name").value ||= link.get("name");
  if (link.get("t")) {
    sessionStorage.setItem(KEY, link.get("t"));
    history.replaceState(null, "", location.pathname); // nobody reads it over a shoulder, or copies it with the address
  }
  if (!sessionStorage.getItem(KEY)) {
    const answer = await fetch(`/stage/${conversation.id}/strangers`, { method: "POST" });
    if (!answer.ok) throw new Error(answer.statusText);
    sessionStorage.setItem(KEY, (await answer.json()).token);
    asked = true;
  }
  return sessionStorage.getItem(KEY);
}

// --- microphone ----------------------------------------------------------------------------------------------

async function openMicrophone() {
  const processed = !$("original").checked;
  const deviceId = $("microphone").value;
  const before = microphone;
  try {
    microphone = await navigator.mediaDevices.getUserMedia({
      audio: {
        ...(deviceId && { deviceId: { exact: deviceId } }),
        channelCount: 1, echoCancellation: processed, noiseSuppression: processed, autoGainControl: processed,
      },
    });
  } catch (error) {
    tell(say("no_microphone", { why: error.message }));
    return null;
  }
  for (const track of before?.getTracks() ?? []) track.stop();
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "audioinput");
  const chosen = microphone.getAudioTracks()[0].getSettings().deviceId;
  $("microphone").replaceChildren(...devices.map((device) => new Option(device.label || device.deviceId, device.deviceId, false, device.deviceId === chosen)));
  drawLevel();
  return microphone;
}

function drawLevel() {
  meter?.context.close();
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(microphone).connect(analyser);
  meter = { context, analyser, samples: new Float32Array(2048) };
}

function draw() {
  if (!meter || $("door").hidden) return;
  const canvas = $("level"), paint = canvas.getContext("2d");
  meter.analyser.getFloatTimeDomainData(meter.samples);
  const level = Math.sqrt(meter.samples.reduce((sum, x) => sum + x * x, 0) / meter.samples.length);
  const share = Math.max(0, Math.min(1, 1 + (20 * Math.log10(Math.max(level, 1e-6))) / 60));
  const { width, height } = canvas, columns = 40;
  paint.clearRect(0, 0, width, height);
  paint.fillStyle = getComputedStyle(canvas).color;
  for (let column = 0; column < columns; column += 1) {
    paint.globalAlpha = column / columns < share ? 1 : 0.15;
    paint.fillRect((column * width) / columns, 4, width / columns - 5, height - 8);
  }
}

// --- what people press ---------------------------------------------------------------------------------------

async function enter() {
  tell();
  const name = $("name").value.trim();
  localStorage.setItem("rostra.name", name);
  if (asked && !state?.role) {
    await session.act("RaiseHand", { name });
    waitingForHand = true;
    return show();
  }
  if (!microphone && !(await openMicrophone())) return;
  await session.speak(microphone, name, $("original").checked);
  onStage = true;
  waitingForHand = false;
  show();
}

async function doOr(work) {
  try {
    await work();
    tell();
  } catch (error) {
    tell(error.message);
  }
}

const act = (type, values = {}, sure = null) =>
  doOr(async () => {
    if (sure && !confirm(say(sure.question, { name: sure.name }))) return;
    await session.act(type, values);
  });

const own = () => state?.seats.find((seat) => seat.person === state.you);

function setMuted(muted) {
  session.hush(muted);
  return act(muted ? "Mute" : "Unmute", muted ? { person: state.you } : {});
}

function hold(down) {
  if (!$("push").checked || !onStage || holding === down) return;
  holding = down;
  setMuted(!down);
}

async function runChecks() {
  tell();
  if (!microphone && !(await openMicrophone())) return;
  $("check").disabled = true;
  const list = $("checks");
  list.replaceChildren(Object.assign(document.createElement("li"), { textContent: say("checking") }));
  let first = true;
  for await (const { check: name, result, key, values } of check(microphone, session, conversation.id, clock_ms / 1000)) {
    if (first) list.replaceChildren();
    first = false;
    const item = Object.assign(document.createElement("li"), { textContent: say(key, values) });
    Object.assign(item.dataset, { check: name, result });
    list.append(item);
  }
  $("check").disabled = false;
}

// --- what is shown -------------------------------------------------------------------------------------------

function clockFace(ms) {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

function countdown() {
  if (!state || ["ended", "cancelled"].includes(state.state)) return "";
  const left = state.starts_ms - (Date.now() + clock_ms);
  if (state.state === "live") return say("on_air", { time: clockFace(left) });
  return say(left > 0 ? "begins_in" : "late", { time: clockFace(left + (left > 0 ? 999 : 0)) });
}

function about(seat) {
  if (lost || !session.connected) return say(lost ? "again" : "connecting");
  if (!seat) return say("connecting");
  if (!seat.on_air) return say("now_green");
  if (seat.muted) return say("now_muted");
  return say(state.state === "live" ? "now_heard" : "now_waiting");
}

function show() {
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = say(each.dataset.text);
  const seat = own();
  $("enter").textContent = say(asked && !state?.role ? (waitingForHand ? "lower" : "ask") : "enter");
  $("door").hidden = onStage;
  $("desk").hidden = !onStage;
  document.body.dataset.step = onStage ? "desk" : "door";
  if (!state) return;
  document.body.dataset.state = state.state;
  put("state", say(`state_${state.state}`));
  put("countdown", countdown());
  if (onStage) {
    put("you", about(seat));
    const push = $("push").checked;
    put("mute", say(push ? (seat?.muted ? "hold" : "talking") : seat?.muted ? "unmute" : "mute"));
    $("mute").setAttribute("aria-pressed", String(Boolean(seat?.muted)));
    const quality = session.quality;
    put("quality", quality ? say("quality", { rtt: quality.rtt_ms, loss: quality.loss_percent }) : "");
  } else if (waitingForHand) tell(say("asked"));
  people.show(state, language);
  $("hands-section").hidden = !state.hands.length;
}

function came(news) {
  lost = false;
  clock_ms = news.now_ms ? news.now_ms - Date.now() : clock_ms;
  const before = own();
  state = news;
  if (news.over) {
    onStage = false;
    $("door").hidden = true;
    tell(say("over"));
  } else if (news.removed && (onStage || waitingForHand)) {
    left();
    tell(say("removed"));
  } else if (waitingForHand && own()) {
    doOr(enter); // let up: the microphone was allowed with the hand
  } else if (waitingForHand && !news.hands.some(({ person }) => person === news.you)) {
    waitingForHand = false;
    tell();
  }
  if (onStage && own() && !before?.muted && own().muted) session.hush(true);
  if (onStage && own() && before?.muted && !own().muted) session.hush(false);
  show();
}

function left() {
  onStage = waitingForHand = false;
  session.leave().catch(() => undefined);
  microphone = null;
  meter?.context.close();
  meter = null;
}

// --- and now -------------------------------------------------------------------------------------------------

const people = new People($("people"), $("hands"), act);
$("name").value = localStorage.getItem("rostra.name") ?? "";
$("door").addEventListener("submit", (event) => {
  event.preventDefault();
  doOr(async () => {
    if (waitingForHand) {
      waitingForHand = false;
      await session.act("LowerHand", { person: state.you });
      return show();
    }
    if (asked && !microphone && !(await openMicrophone())) return;
    await enter();
  });
});
$("check").addEventListener("click", () => doOr(runChecks));
for (const id of ["microphone", "original"]) {
  $(id).addEventListener("change", () => doOr(async () => {
    if ((await openMicrophone()) && onStage) await session.speak(microphone, $("name").value.trim(), $("original").checked);
  }));
}
$("mute").addEventListener("click", () => { if (!$("push").checked) setMuted(!own()?.muted); });
for (const [event, down] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false], ["pointerleave", false]]) {
  $("mute").addEventListener(event, () => hold(down));
}
addEventListener("keydown", (event) => {
  if (event.code === "Space" && $("push").checked && onStage && event.target.type !== "text") {
    event.preventDefault();
    hold(true);
  }
});
addEventListener("keyup", (event) => { if (event.code === "Space") hold(false); });
addEventListener("blur", () => hold(false));
$("push").addEventListener("change", () => { if (onStage) setMuted($("push").checked); });
$("leave").addEventListener("click", () => { left(); show(); });
$("language").addEventListener("click", () => {
  language = language === "en" ? "nl" : "en";
  localStorage.setItem("rostra.language", language);
  show();
});
setInterval(() => { put("countdown", countdown()); if (onStage) show(); draw(); }, TICK_MS);

try {
  session = new Session(conversation, await invitation());
  session.onstate = came;
  session.onlost = () => { lost = true; show(); };
  session.onrefused = (error) => tell(error.status === 401 ? say("bad_link") : error.message);
  session.onsound = (stream) => { $("others").srcObject = stream; $("others").play().catch(() => undefined); };
  session.follow();
  if (asked) tell(say("no_link"));
} catch (error) {
  tell(error.message);
}
show();
document.body.dataset.ready = "yes";
