// What a page's microphone brought and what its loudspeaker played, with the times of both.
//
// The audio graph is tapped from outside, before the page's own code runs: nothing in the handset knows of it.

/**
 * Runs in the page. Finds every microphone source and whatever a worklet or remote stream sends to the loudspeaker, and records
 * it while somebody listens: at other times it costs nothing.
 */
export function tapAudio() {
  // Long enough for a page that is busy for a moment: what is not fetched in time is lost.
  const SIZE = 16384;
  const connect = AudioNode.prototype.connect;
  const found = [];
  let recorders = [];
  const heard = (window.__sound = { on: false, mic: [], ear: [], clock: [] });
  const record = ({ name, node }) => {
    const { context } = node;
    if (context.state === 'closed') return;
    const recorder = context.createScriptProcessor(SIZE, 1, 1);
    recorder.onaudioprocess = (event) => {
      // Two blocks later than it was heard, and by how long this code had to wait for its turn.
      heard[name].push([event.playbackTime - (2 * SIZE) / 48000, event.inputBuffer.getChannelData(0).slice()]);
    };
    connect.call(node, recorder);
    connect.call(recorder, context.destination);
    recorders.push({ node, recorder });
    if (heard.context !== context) {
      heard.context = context;
      heard.clock.length = 0;
    }
  };
  setInterval(() => {
    const { context } = heard;
    if (heard.on && context?.state === 'running') heard.clock.push((performance.timeOrigin + performance.now()) / 1000 - context.currentTime);
  }, 50);
  heard.begin = () => {
    heard.end();
    heard.on = true;
    found.forEach(record);
    heard.forget();
  };
  // A busy machine lets the audio clock fall behind: only what is measured from here on counts.
  heard.forget = () => (heard.mic.length = heard.ear.length = heard.clock.length = 0);
  heard.end = () => {
    heard.on = false;
    for (const { node, recorder } of recorders) {
      recorder.onaudioprocess = null;
      node.disconnect(recorder);
      recorder.disconnect();
    }
    recorders = [];
  };
  const find = (name, node) => {
    found.push({ name, node });
    if (heard.on) record(found.at(-1));
  };
  AudioNode.prototype.connect = function (to, ...rest) {
    const made = connect.call(this, to, ...rest);
    if (this instanceof MediaStreamAudioSourceNode && !this.remote) find('mic', this);
    if (to instanceof AudioDestinationNode && (this instanceof AudioWorkletNode || this.remote)) find('ear', this);
    return made;
  };
}

/**
 * Records for `ms`, and gives {mic, ear}, each {start: seconds since 1970, samples}. To connect a recorder stops a page's audio for a moment, and
 * buffers that find their size remember that: who measures them lets them `settle` first.
 */
export async function record(page, ms, { settle = 0 } = {}) {
  await listen(page);
  if (settle) {
    await page.waitForTimeout(settle);
    await page.evaluate(() => window.__sound.forget());
  }
  await page.waitForTimeout(ms);
  return heard(page);
}

/** Begins to record. */
export const listen = (page) => page.evaluate(() => window.__sound.begin());

/** What was recorded since `listen`. */
export async function heard(page) {
  const raw = await page.evaluate(() => {
    const { mic, ear, clock } = window.__sound;
    window.__sound.end();
    // 16-bit samples in base64: megabytes of numbers as text would keep everybody busy.
    const packed = (blocks) => {
      if (!blocks.length) return { from: 0, base64: '' };
      // Blocks follow each other without a gap, or whole blocks were lost. The one that waited least says when all of them were.
      const size = blocks[0][1].length;
      const places = blocks.map(([at]) => Math.round(((at - blocks[0][0]) * 48000) / size) * size);
      const from = Math.min(...blocks.map(([at], i) => at - places[i] / 48000));
      const samples = new Int16Array(places.at(-1) + size);
      for (const [n, [, block]] of blocks.entries()) {
        const start = places[n];
        for (let i = 0; i < block.length; i += 1) samples[start + i] = Math.max(-1, Math.min(1, block[i])) * 32767;
      }
      const bytes = new Uint8Array(samples.buffer);
      let text = '';
      for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return { from, base64: btoa(text) };
    };
    return { mic: packed(mic), ear: packed(ear), clock };
  });
  const offset = raw.clock.sort((a, b) => a - b)[raw.clock.length >> 1];
  const track = ({ from, base64 }) => {
    const bytes = Buffer.from(base64, 'base64');
    const samples = Float32Array.from(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2), (n) => n / 32767);
    return { start: from + offset, samples };
  };
  return { mic: track(raw.mic), ear: track(raw.ear) };
}

/** Loud enough to be speech. */
const SPEECH = 0.003;
/** The longest silence within a word, in milliseconds. */
const PAUSE = 20;

/** When the first sound from `from` on was, in seconds since 1970; `undefined`: there was none. */
function firstSound({ start, samples }, from) {
  const skip = Math.max(0, Math.ceil((from - start) * 48000));
  const at = samples.subarray(skip).findIndex((sample) => Math.abs(sample) > SPEECH);
  return at < 0 ? undefined : start + (skip + at) / 48000;
}

/** How long `track` is silent between two times, in milliseconds, counted in pieces of 10 ms. */
function silence({ start, samples }, from, to) {
  let silent = 0;
  for (let at = from; at < to; at += 0.01) {
    const [i, j] = [at, at + 0.01].map((time) => Math.round((time - start) * 48000));
    if (!samples.subarray(Math.max(i, 0), j).some((sample) => Math.abs(sample) > SPEECH)) silent += 10;
  }
  return silent;
}

/**
 * How long after `answered` somebody is first heard, in milliseconds; `open` of it passed until the microphone was there. Whoever paused meanwhile, in which
 * case what is heard first is not what was said first, has `paused` for so long, and no `ms`.
 */
export function firstVoice(answered, said, heard) {
  const from = Math.max(answered, said.start);
  const came = firstSound(heard, answered);
  if (came === undefined) return undefined;
  const ms = (seconds) => Math.round(seconds * 1000);
  const paused = silence(said, from, came);
  return { open: ms(from - answered), paused, ms: paused > PAUSE ? undefined : ms(came - answered) };
}

/** Every `step` samples the mean of the magnitude: what correlation of speech needs, and little work. */
function envelope({ samples }, step) {
  const out = new Float64Array(Math.floor(samples.length / step));
  for (let i = 0; i < out.length; i += 1) {
    let sum = 0;
    for (let j = 0; j < step; j += 1) sum += Math.abs(samples[i * step + j]);
    out[i] = sum / step;
  }
  return out;
}

/** Highest normalised correlation of `heard` with `said`, and the delay there, in milliseconds (0 to 500). */
export function correlate(said, heard, step = 48) {
  const [x, y] = [envelope(said, step), envelope(heard, step)];
  const shift = Math.round(((said.start - heard.start) * 48000) / step);
  let best = { r: -1, ms: 0 };
  for (let lag = 0; lag < (500 * 48) / step; lag += 1) {
    let [n, sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < x.length; i += 1) {
      const j = i + shift + lag;
      if (j < 0 || j >= y.length) continue;
      n += 1;
      sx += x[i];
      sy += y[j];
      sxx += x[i] * x[i];
      syy += y[j] * y[j];
      sxy += x[i] * y[j];
    }
    const r = (n * sxy - sx * sy) / Math.sqrt((n * sxx - sx * sx) * (n * syy - sy * sy) || 1);
    if (n > x.length / 2 && r > best.r) best = { r, ms: (lag * step) / 48 };
  }
  return best;
}

/** The delays of successive windows of `seconds`, of those where speech was found. */
export function delays(said, heard, seconds = 1) {
  const found = [];
  const size = seconds * 48000;
  for (let at = 0; at + size <= said.samples.length; at += size / 2) {
    const window = { start: said.start + at / 48000, samples: said.samples.subarray(at, at + size) };
    const { r, ms } = correlate(window, heard);
    if (r > 0.6) found.push(ms);
  }
  return found.sort((a, b) => a - b);
}

/** The middle one. */
export const median = (values) => values[values.length >> 1];
