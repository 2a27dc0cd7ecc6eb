// The way to a gate: what happens on the stage as lines of JSON, sound both ways by WebRTC (WHIP, RFC 9725), and
// going on at another gate when either breaks. The seat is kept meanwhile, so nobody has to do anything.

const GATHERED_MS = 300; // host candidates are there at once; a STUN server that is silent is not waited for
const SILENT_MS = 800; // the gate sends a packet each 20 ms: so long without any, and the way is broken
const LOOK_MS = 200;
const QUIET_MS = 5000; // the gate says something each 2 s
const AGAIN_FIRST_MS = 100, AGAIN_MAX_MS = 2000; // at once, then doubling: a gate that starts must not be run over

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new Refused(answer.status, problem.detail ?? answer.statusText);
}

// A browser that has suppressed the noise says so, and the gate does not do it again; one that says nothing has not.
function treatment(track) {
  return track.getSettings().noiseSuppression ? "clean" : "raw";
}

// An offer for one microphone, complete with its candidates.
export async function offerOf(peer) {
  await peer.setLocalDescription();
  const gathered = new Promise((done) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
  });
  if (peer.iceGatheringState !== "complete") await Promise.race([gathered, pause(GATHERED_MS)]);
  return peer.localDescription.sdp;
}

// The STUN and TURN servers of a response's Link headers (RFC 9725 §4.6).
export function iceServers(links) {
  return [...(links ?? "").matchAll(/<([^>]+)>\s*;\s*rel="ice-server"([^<]*)/g)].map(([, urls, rest]) => {
    const value = (name) => rest.match(new RegExp(`${name}="([^"]*)"`))?.[1];
    return { urls, username: value("username"), credential: value("credential") };
  });
}

export class Session {
  constructor({ id, gates }, token) {
    this.quality = null; // {rtt_ms, loss_percent} of the last second
    this.onstate = () => {};
    this.onlost = () => {};
    this.onsound = () => {};
    this.onrefused = () => {};
    this.#id = id;
    this.#gates = gates.length ? gates : [location.origin];
    this.#token = token;
  }

  #id;
  #gates;
  #token;
  #at = 0; // index of the gate we are at
  #microphone = null;
  #name = "";
  #sound = "raw"; // what the gate is to do to it: see `treatment`
  #peer = null;
  #place = null; // address of our WHIP session
  #connecting = false;
  #following = null;

  // A gate that has died leaves its connection "connected" for seconds: who is reconnecting is not.
  get connected() { return !this.#connecting && this.#peer?.connectionState === "connected"; }

  get headers() { return { Authorization: `Bearer ${this.#token}` }; }

  address(path) { return `${this.#gates[this.#at % this.#gates.length]}/${path}`; }

  // --- what happens on the stage ---------------------------------------------------------------------------

  async follow() {
    for (let again = 0; ; again = Math.min(Math.max(2 * again, AGAIN_FIRST_MS), AGAIN_MAX_MS)) {
      try {
        if (await this.#read(() => { again = 0; })) return;
      } catch (error) {
        if (error instanceof Refused && error.status < 500) return this.onrefused(error);
      }
      this.onlost();
      this.#at += 1;
      if (this.#microphone) this.#reconnect();
      await pause(again);
    }
  }

  // Hand on each line until the stream breaks; true if the conversation is over.
  async #read(came) {
    const control = (this.#following = new AbortController());
    let quiet = setTimeout(() => control.abort(), QUIET_MS);
    try {
      const answer = await fetch(this.address(`stage/${this.#id}/state`), { headers: this.headers, signal: control.signal });
      if (!answer.ok) throw await refusal(answer);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) return false;
        clearTimeout(quiet);
        quiet = setTimeout(() => control.abort(), QUIET_MS);
        came();
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          const state = JSON.parse(line);
          this.onstate(state);
          if (state.over) return true;
        }
      }
    } finally {
      clearTimeout(quiet);
    }
  }

  async act(type, values = {}) {
    const answer = await fetch(this.address(`stage/${this.#id}/acts`), {
      method: "POST",
      headers: { ...this.headers, "Content-Type": "application/json" },
      body: JSON.stringify({ act: { type, ...values } }),
    });
    if (!answer.ok) throw await refusal(answer);
  }

  // --- sound -----------------------------------------------------------------------------------------------

  // Speak with `microphone` (a MediaStream) as `name`; another one like it takes its place without a new session.
  async speak(microphone, name, original) {
    this.#name = name;
    const [track] = microphone.getAudioTracks();
    const sound = original ? "original" : treatment(track);
    const asBefore = sound === this.#sound;
    this.#sound = sound;
    const before = this.#microphone;
    this.#microphone = microphone;
    const sender = this.#peer?.getSenders().find((each) => each.track);
    if (before && sender && asBefore) return sender.replaceTrack(track);
    await this.#connect();
  }

  hush(muted) {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  async leave() {
    const microphone = this.#microphone;
    this.#microphone = null;
    this.#drop(this.#peer);
    this.#peer = null;
    for (const track of microphone?.getTracks() ?? []) track.stop();
    await this.act("Leave");
  }

  async #connect() {
    const peer = new RTCPeerConnection();
    for (const track of this.#microphone.getAudioTracks()) peer.addTransceiver(track, { direction: "sendrecv" });
    peer.ontrack = ({ streams, track }) => this.onsound(streams[0] ?? new MediaStream([track]));
    const answer = await fetch(this.address(`whip/${this.#id}?name=${encodeURIComponent(this.#name)}&sound=${this.#sound}`), {
      method: "POST",
      headers: { ...this.headers, "Content-Type": "application/sdp" },
      body: await offerOf(peer),
    });
    if (!answer.ok) {
      peer.close();
      throw await refusal(answer);
    }
    const servers = iceServers(answer.headers.get("Link"));
    if (servers.length) peer.setConfiguration({ iceServers: servers });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    const before = this.#peer;
    this.#peer = peer;
    this.#place = answer.headers.get("Location");
    before?.close();
    this.#watch(peer);
  }

  // Whether sound still comes, and how well it travels.
  async #watch(peer) {
    let packets = 0, heard_ms = performance.now() + 5 * SILENT_MS; // ICE and DTLS take their time first
    while (this.#peer === peer) {
      await pause(LOOK_MS);
      const stats = [...(await peer.getStats()).values()];
      const inbound = stats.find((each) => each.type === "inbound-rtp");
      const remote = stats.find((each) => each.type === "remote-inbound-rtp");
      if (remote?.roundTripTime !== undefined) {
        this.quality = { rtt_ms: Math.round(1000 * remote.roundTripTime), loss_percent: Math.round(100 * (remote.fractionLost ?? 0)) };
      }
      if (inbound && inbound.packetsReceived !== packets) {
        packets = inbound.packetsReceived;
        heard_ms = performance.now();
      }
      const silent = performance.now() - heard_ms > SILENT_MS;
      if (this.#peer === peer && (silent || ["failed", "closed"].includes(peer.connectionState))) {
        this.#following?.abort(); // that goes on at another gate, with the sound
        return;
      }
    }
  }

  async #reconnect() {
    if (this.#connecting) return;
    this.#connecting = true;
    for (let again = AGAIN_FIRST_MS; this.#microphone; again = Math.min(2 * again, AGAIN_MAX_MS)) {
      try {
        await this.#connect();
        break;
      } catch (error) {
        if (error instanceof Refused && error.status < 500) {
          this.onrefused(error);
          break;
        }
        await pause(again);
      }
    }
    this.#connecting = false;
  }

  #drop(peer) {
    peer?.close();
    if (this.#place) fetch(this.#place, { method: "DELETE", headers: this.headers, keepalive: true }).catch(() => undefined);
    this.#place = null;
  }
}
