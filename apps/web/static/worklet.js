// Microphone and loudspeaker, on the audio thread.
//
//   microphone ─► 128 samples, as they come ─► port      port ─► queue of blocks, 480 samples ─► loudspeaker
//
// Contract of this thread: no lock, no I/O; what it allocates is one array of 128 samples a quantum, which moves to the
// worker. Playing is on the player's clock: for each block that was played one is asked for, so the number of blocks under
// way stays as it is. A block that comes too late leaves silence, and one more is kept from then on (-1 asks for it, and
// counts the gap); after five seconds without a gap there is one less again.

const BLOCK = 480;
const FIRST = 2;
const MOST = 8;
const CALM = 5 * 48000;

class Hotline extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = [];
    this.offset = 0;
    this.kept = FIRST;
    this.calm = 0;
    this.primed = false;
    this.port.onmessage = ({ data }) => {
      this.worker = data;
      this.worker.onmessage = ({ data: block }) => this.queue.push(block);
      this.worker.postMessage(FIRST);
    };
  }

  process([input], [output]) {
    if (!this.worker) return true;
    const captured = input[0];
    if (captured) {
      const samples = captured.slice();
      this.worker.postMessage(samples, [samples.buffer]);
    }
    const out = output[0];
    if (this.queue.length >= FIRST) this.primed = true;
    for (let at = 0; this.primed && at < out.length; ) {
      const block = this.queue[0];
      if (!block) {
        if (this.kept < MOST) {
          this.kept += 1;
          this.worker.postMessage(-1);
        }
        this.calm = 0;
        break;
      }
      const n = Math.min(out.length - at, BLOCK - this.offset);
      out.set(block.subarray(this.offset, this.offset + n), at);
      at += n;
      this.offset += n;
      if (this.offset === BLOCK) {
        this.offset = 0;
        this.queue.shift();
        if (this.calm > CALM && this.kept > FIRST) {
          this.kept -= 1;
          this.calm = 0;
        } else {
          this.worker.postMessage(1);
        }
      }
    }
    this.calm += out.length;
    for (let channel = 1; channel < output.length; channel += 1) output[channel].set(out);
    return true;
  }
}

registerProcessor('hotline', Hotline);
