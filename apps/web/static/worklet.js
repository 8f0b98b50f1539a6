// Microphone and loudspeaker, on the audio thread.
//
//   microphone ─► 128 samples, as they come ─► port      port ─► queue of blocks, 240 samples ─► loudspeaker
//                                                                └─ wanted ─┘ so much is here or asked for
//
// Contract of this thread: no lock, no I/O; what it allocates is one array of 128 samples a quantum, which moves to the
// worker. Playing is on the player's clock: blocks are asked for as they are played, so what is under way stays as it is.
//
// Browsers play in bursts (3 to 10 ms, or what the device likes), and the worker answers when it can: how much has to be under
// way is found by trying. A block that comes too late leaves silence, and from then on more is kept (-1 says that there was
// such a gap); what was not needed for a whole second, but for a margin, is given back. A gap widens the margin, calm
// narrows it again. All numbers are samples at 48 kHz.

const BLOCK = 240;
// What is kept at first, above what is played at once.
const FIRST = 288;
const MOST = 16 * BLOCK;
// What is kept above the least that a second needed, at least and at most.
const MARGIN = 144;
const WIDEST = 4 * BLOCK;
// Longer gaps are stalls: they say nothing about how much to keep.
const STALL = 4 * BLOCK;
// Given back in a second, at most; and the part of a widened margin that a second narrows it by.
const GIVE = 144;
const CALM = 0.15;
const SECOND = 48000;

class Hotline extends AudioWorkletProcessor {
  constructor({ processorOptions: { burst } }) {
    super();
    this.queue = [];
    this.offset = 0;
    this.asked = 0;
    this.wanted = Math.min((burst || BLOCK) + FIRST, MOST);
    this.margin = MARGIN;
    this.least = MOST;
    this.played = 0;
    this.primed = false;
    this.missing = 0;
    this.port.onmessage = ({ data }) => {
      this.worker = data;
      this.worker.onmessage = ({ data: block }) => {
        this.asked -= 1;
        this.queue.push(block);
      };
      this.ask();
    };
  }

  /** Samples that are here. */
  here() {
    return this.queue.length * BLOCK - this.offset;
  }

  /** Asks for as many blocks as are missing. */
  ask() {
    const missing = Math.ceil((this.wanted - this.here()) / BLOCK) - this.asked;
    if (missing <= 0) return;
    this.asked += missing;
    this.worker.postMessage(missing);
  }

  process([input], [output]) {
    if (!this.worker) return true;
    const captured = input[0];
    if (captured) {
      const samples = captured.slice();
      this.worker.postMessage(samples, [samples.buffer]);
    }
    const out = output[0];
    if (this.here() >= this.wanted) this.primed = true;
    let at = 0;
    while (this.primed && at < out.length && this.queue.length) {
      const n = Math.min(out.length - at, BLOCK - this.offset);
      out.set(this.queue[0].subarray(this.offset, this.offset + n), at);
      at += n;
      this.offset += n;
      if (this.offset === BLOCK) {
        this.offset = 0;
        this.queue.shift();
      }
    }
    if (this.primed) this.follow(out.length - at, out.length);
    for (let channel = 1; channel < output.length; channel += 1) output[channel].set(out);
    return true;
  }

  /** Finds how much has to be under way: `missing` samples of `length` were not there. */
  follow(missing, length) {
    if (missing) {
      if (!this.missing) this.worker.postMessage(-1);
      this.missing += missing;
    } else if (this.missing) {
      if (this.missing <= STALL) {
        this.margin = Math.min(this.margin + this.missing / 2, WIDEST);
        this.wanted = Math.min(this.wanted + this.missing, MOST);
      }
      this.missing = 0;
    }
    this.least = Math.min(this.least, this.here());
    this.played += length;
    if (this.played >= SECOND) {
      this.wanted -= Math.min(Math.max(this.least - this.margin, 0), GIVE);
      this.margin -= (this.margin - MARGIN) * CALM;
      this.least = MOST;
      this.played = 0;
    }
    this.ask();
  }
}

registerProcessor('hotline', Hotline);
