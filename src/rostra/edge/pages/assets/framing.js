// The frames of the listener stream (docs/protocol.md §3), cut out of whatever pieces the network delivers.

export const INIT = 1, MEDIA = 2, EVENT = 3;
const HEADER_BYTES = 4, SEQ_BYTES = 4;
const FRAME_BYTES_MAX = 1 << 20; // a chunk is 1 kB: who announces more is not one of ours

export class NoRostraStream extends Error {}

// Keeps at most one unfinished frame.
export class FrameReader {
  #kept = new Uint8Array(0);

  // The frames {kind, seq, bytes} that `bytes` completes; NoRostraStream if this cannot be one.
  *feed(bytes) {
    const data = joined(this.#kept, bytes);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const kind = data[at], length = view.getUint32(at) & 0xffffff;
      if (kind < INIT || kind > EVENT || length > FRAME_BYTES_MAX || (kind === MEDIA && length < SEQ_BYTES)) {
        throw new NoRostraStream(`frame kind ${kind}, length ${length}`);
      }
      const begin = at + HEADER_BYTES, end = begin + length;
      if (data.length < end) break;
      if (kind === MEDIA) yield { kind, seq: view.getUint32(begin), bytes: data.slice(begin + SEQ_BYTES, end) };
      else yield { kind, seq: -1, bytes: data.slice(begin, end) };
      at = end;
    }
    this.#kept = data.slice(at);
  }
}

function joined(kept, bytes) {
  if (!kept.length) return bytes;
  const data = new Uint8Array(kept.length + bytes.length);
  data.set(kept);
  data.set(bytes, kept.length);
  return data;
}
