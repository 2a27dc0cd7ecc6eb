// The pre-flight: microphone, echo, the way to the gate, what gets lost on it, the clock. Each good, or what to do.

import { offerOf } from "./session.js";

const SPEAK_MS = 3000, TRAVEL_MS = 4000, TONE_MS = 600, LOOK_MS = 50;
const HEARD = 0.01, CLIPPED = 0.98; // -40 dBFS; full scale
const TONE_HZ = 1250;
const ECHO_DB = 12; // the tone stands out of what was there before by this much: the loudspeaker is heard
const WAY_MAX_MS = 250, LOSS_MAX = 5, CLOCK_MAX_S = 2;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Checks as they are done: {check, result: "good" | "bad", key, values}.
export async function* check(microphone, session, conversation, clockOffset_s) {
  const context = new AudioContext();
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(microphone).connect(analyser);
  try {
    yield await level(analyser);
    yield await echo(context, analyser);
  } finally {
    context.close();
  }
  yield* travel(microphone, session, conversation);
  const far = Math.abs(clockOffset_s);
  const off = far > CLOCK_MAX_S;
  yield { check: "clock", result: "good", key: off ? "clock_bad" : "clock_good", values: { s: far.toFixed(0) } };
}

async function level(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0, peak = 0;
  for (const until = performance.now() + SPEAK_MS; performance.now() < until; await pause(LOOK_MS)) {
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), peak);
  }
  const result = loudest > HEARD && peak < CLIPPED ? "good" : "bad";
  const key = loudest <= HEARD ? "microphone_bad" : peak >= CLIPPED ? "microphone_loud" : "microphone_good";
  return { check: "microphone", result, key, values: {} };
}

async function echo(context, analyser) {
  const bin = Math.round((TONE_HZ * analyser.fftSize) / context.sampleRate);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const loudness = async (ms) => {
    const seen = [];
    for (const until = performance.now() + ms; performance.now() < until; await pause(LOOK_MS)) {
      analyser.getFloatFrequencyData(spectrum);
      seen.push(Math.max(spectrum[bin - 1], spectrum[bin], spectrum[bin + 1]));
    }
    return seen.sort((a, b) => a - b)[seen.length >> 1];
  };
  const before = await loudness(TONE_MS);
  const tone = new OscillatorNode(context, { frequency: TONE_HZ });
  const gain = new GainNode(context, { gain: 0.1 });
  tone.connect(gain).connect(context.destination);
  tone.start();
  const during = await loudness(TONE_MS);
  tone.stop();
  const heard = during - before > ECHO_DB && during > -70;
  return { check: "echo", result: heard ? "bad" : "good", key: heard ? "echo_bad" : "echo_good", values: {} };
}

// Our own sound goes to the gate and comes back.
async function* travel(microphone, session, conversation) {
  const peer = new RTCPeerConnection();
  try {
    for (const track of microphone.getAudioTracks()) peer.addTransceiver(track, { direction: "sendrecv" });
    const answer = await fetch(session.address(`stage/${conversation}/echo`), {
      method: "POST",
      headers: { ...session.headers, "Content-Type": "application/sdp" },
      body: await offerOf(peer),
    });
    if (!answer.ok) throw new Error(answer.statusText);
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    await pause(TRAVEL_MS);
    const stats = [...(await peer.getStats()).values()];
    const pair = stats.find((each) => each.type === "candidate-pair" && each.nominated && each.currentRoundTripTime !== undefined);
    const inbound = stats.find((each) => each.type === "inbound-rtp");
    if (!pair || !inbound?.packetsReceived) throw new Error("no sound came back");
    const remote = stats.find((each) => each.type === "remote-inbound-rtp");
    const rtt = Math.round(1000 * pair.currentRoundTripTime);
    const back = (100 * Math.max(0, inbound.packetsLost)) / (inbound.packetsReceived + Math.max(0, inbound.packetsLost));
    const loss = Math.round(Math.max(back, 100 * (remote?.fractionLost ?? 0)));
    yield { check: "way", result: rtt <= WAY_MAX_MS ? "good" : "bad", key: rtt <= WAY_MAX_MS ? "way_good" : "way_bad", values: { rtt } };
    yield { check: "loss", result: loss <= LOSS_MAX ? "good" : "bad", key: loss <= LOSS_MAX ? "loss_good" : "loss_bad", values: { loss } };
  } catch {
    yield { check: "way", result: "bad", key: "way_none", values: {} };
  } finally {
    peer.close();
  }
}
