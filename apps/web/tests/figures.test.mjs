// Figures of the web handset, printed: first load, tap to ring, first voice, mouth to ear beside a WebRTC call of the same
// browsers in the same run, and what DRED rebuilds under loss. Only what does not depend on the machine's speed is asserted.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Handset } from './lib/handset.mjs';
import { Office } from './lib/office.mjs';
import { delays, firstVoice, heard, listen, median, record } from './lib/sound.mjs';

let ministry, embassy, anna, boris;

before(async () => {
  [ministry, embassy] = [await Office.start('Ministry'), await Office.start('Embassy')];
  anna = await Handset.open(ministry.enroll('Anna'), 'caller');
  boris = await Handset.open(embassy.enroll('Boris'), 'callee');
  await boris.takeCard(await anna.giveCard('Boris'));
  await anna.press('Contacts');
  await anna.page.getByRole('button', { name: 'Call Boris' }).waitFor();
  await boris.page.getByRole('button', { name: 'Call Anna' }).waitFor();
  // Keys of the first call are made in idle cells.
  await anna.page.waitForTimeout(3_000);
});

after(async () => {
  for (const one of [anna, boris]) await one?.close();
  for (const one of [ministry, embassy]) await one?.stop();
});

/** Fetching what was recorded keeps both pages busy for a moment; the buffers remember that for eight seconds. */
const SETTLE = 12_000;
/** Of each call the lines' clocks have other phases to each other; and in some nobody speaks just when it is answered. */
const CALLS = 6;
/** How long a finger is on a key, in milliseconds: what the keystroke-level model (Card, Moran, Newell) has for letting go. */
const FINGER = 100;
const now = () => performance.timeOrigin + performance.now();
/** How much of the processors something outside of this machine had since the last time. */
let counted = [0, 0];
function stolen() {
  const times = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1).map(Number);
  const [all, steal] = [times.reduce((a, b) => a + b), times[7]];
  const part = (100 * (steal - counted[1])) / (all - counted[0]);
  counted = [all, steal];
  return `${part.toFixed(1)} % of the processors taken from outside`;
}
const p50 = (values) => (values.length ? `${median(values).toFixed(0)} ms (${values.length} windows)` : 'not found');

test('first load', async () => {
  const clara = await Handset.open('about:blank', 'caller', { lock: null });
  try {
    let bytes = 0;
    const cdp = await clara.context.newCDPSession(clara.page);
    await cdp.send('Network.enable');
    cdp.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
    const began = now();
    await clara.load(`${ministry.enroll('Clara')}&keep=no`);
    await clara.lineUp();
    console.log(`first load: contacts and line up after ${((now() - began) / 1000).toFixed(2)} s; page without its worker ${(bytes / 1e6).toFixed(2)} MB`);
  } finally {
    await clara.close();
  }
});

/** Frames played, rebuilt and concealed at a handset so far. */
async function frames(one) {
  const text = await one.page.locator('details.figures').innerText();
  return text.match(/Frames played, rebuilt, concealed\s+(\d+)\D+(\d+)\D+(\d+)/).slice(1).map(Number);
}

/** Both lines are cut and come back: all clocks start anew, in other phases to each other. */
async function redial() {
  for (const office of [ministry, embassy]) office.tap.lose('everything');
  for (const one of [anna, boris]) await one.page.getByText('Line up', { exact: true }).first().waitFor({ state: 'detached' });
  for (const office of [ministry, embassy]) office.tap.lose('nothing');
  for (const one of [anna, boris]) await one.lineUp();
  await anna.page.waitForTimeout(3_000);
}

test(`tap to ring, first voice, mouth to ear: ${CALLS} calls`, async () => {
  const all = [];
  const first = [[], []];
  stolen();
  for (let call = 1; call <= CALLS; call += 1) {
    if (call > 1) await redial();
    const tapped = now();
    await anna.press('Call Boris');
    await boris.page.getByRole('dialog').waitFor();
    const rang = now();
    await Promise.all([anna, boris].map((one) => listen(one.page)));
    // The moments themselves, in the page, and not when this process asked for them.
    await boris.page.evaluate(() => {
      for (const [type, name] of [['pointerdown', '__pressed'], ['click', '__answered']]) {
        addEventListener(type, () => (window[name] = (performance.timeOrigin + performance.now()) / 1000), { capture: true, once: true });
      }
    });
    const { x, y, width, height } = await boris.button('Answer').boundingBox();
    await boris.page.mouse.move(x + width / 2, y + height / 2);
    await boris.page.mouse.down();
    await boris.page.waitForTimeout(FINGER);
    await boris.page.mouse.up();
    await anna.sees('Connected');
    await anna.page.waitForTimeout(3_000);
    const [pressed, answered] = await boris.page.evaluate(() => [window.__pressed, window.__answered]);
    const finger = Math.round((answered - pressed) * 1000);
    const [sa, sb] = [await heard(anna.page), await heard(boris.page)];
    const after = [firstVoice(answered, sb.mic, sa.ear), firstVoice(answered, sa.mic, sb.ear)];
    // What was said before the answer is not sent: somebody has to be speaking just then.
    const [atCaller, atCallee] = after.map((voice, i) => {
      if (voice?.ms === undefined) return voice ? `(no figure: a pause of ${voice.paused} ms)` : '(nothing was heard)';
      first[i].push(voice.ms);
      return `${voice.ms} ms`;
    });
    const [a, b] = await Promise.all([record(anna.page, 8_000, { settle: SETTLE }), record(boris.page, 8_000, { settle: SETTLE })]);
    const ways = [delays(a.mic, b.ear), delays(b.mic, a.ear)];
    all.push(...ways.flat());
    console.log(`call ${call}: tap to ring on screen ${(rang - tapped).toFixed(0)} ms; answer to first voice at the caller ${atCaller} (${after[0]?.open} until the microphone was open; ${finger} more since the finger went down), at the callee ${atCallee}; mouth to ear ${ways.map(p50).join(' and ')}; ${stolen()}`);
    await boris.page.locator('details.figures summary').click();
    const bursts = await Promise.all([anna, boris].map((one) => one.page.evaluate(() => localStorage.getItem('hotline.bursts') || 'short')));
    console.log(`  bursts ${bursts.join(', ')}; at the callee:`, (await boris.page.locator('details.figures').innerText()).replace(/\s+/g, ' '));
    await boris.press('End');
    await anna.press('Contacts');
    await boris.press('Contacts');
  }
  const each = (values) => (values.length ? `${median(values.sort((x, y) => x - y))} ms (${values.join(', ')})` : 'no figure');
  console.log(`Hotline, first voice after the answer, p50: at the caller ${each(first[0])}, at the callee ${each(first[1])}`);
  console.log(`Hotline, mouth to ear: p50 ${p50(all.sort((x, y) => x - y))}`);
});

test('what loss leaves', async () => {
  await anna.press('Call Boris');
  await boris.page.getByRole('dialog').waitFor();
  await boris.press('Answer');
  await anna.sees('Connected');
  await boris.page.locator('details.figures summary').click();
  await boris.page.waitForTimeout(5_000);
  const counts = [await frames(boris)];
  embassy.tap.lose('bursts');
  for (let i = 0; i < 2; i += 1) {
    await boris.page.waitForTimeout(10_000);
    counts.push(await frames(boris));
  }
  embassy.tap.lose('nothing');
  const within = (i) => counts[i].map((n, k) => n - counts[i - 1][k]);
  for (const i of [1, 2]) {
    const [played, rebuilt, concealed] = within(i);
    console.log(`17 % lost in bursts of four, seconds ${10 * i - 10} to ${10 * i}: ${played} frames played, ${rebuilt} rebuilt by DRED, ${concealed} concealed`);
  }
  assert.ok(within(2)[1] > 10, 'DRED rebuilds lost frames in the browser');
  await boris.press('End');
});

test('WebRTC between the same browsers, for comparison', async () => {
  await anna.page.waitForTimeout(3_000);
  const begin = (page) =>
    page.evaluate(async () => {
      const context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
      const peer = (window.__peer = new RTCPeerConnection());
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of stream.getTracks()) peer.addTrack(track, stream);
      context.createMediaStreamSource(stream).connect(context.createGain());
      peer.ontrack = ({ streams }) => {
        // Chromium plays a remote stream into a graph only if an element has it, too.
        window.__element = Object.assign(new Audio(), { srcObject: streams[0], muted: true });
        window.__element.play();
        const source = context.createMediaStreamSource(streams[0]);
        source.remote = true;
      };
      const remote = AudioContext.prototype.createMediaStreamSource;
      context.createMediaStreamSource = function (of) {
        const source = remote.call(this, of);
        source.remote = true;
        setTimeout(() => source.connect(context.destination));
        return source;
      };
    });
  await Promise.all([begin(anna.page), begin(boris.page)]);
  const gathered = (page) =>
    page.evaluate(async () => {
      const peer = window.__peer;
      await peer.setLocalDescription();
      if (peer.iceGatheringState !== 'complete') {
        await new Promise((done) => (peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done()));
      }
      return peer.localDescription.toJSON();
    });
  const accept = (page, description) => page.evaluate((d) => window.__peer.setRemoteDescription(d), description);
  await accept(boris.page, await gathered(anna.page));
  await accept(anna.page, await gathered(boris.page));
  const [a, b] = await Promise.all([record(anna.page, 8_000, { settle: SETTLE }), record(boris.page, 8_000, { settle: SETTLE })]);
  console.log(`WebRTC, mouth to ear p50: ${p50(delays(a.mic, b.ear))} and ${p50(delays(b.mic, a.ear))}`);
  assert.ok(a.ear.samples.length > 0, 'the comparison was heard');
});
