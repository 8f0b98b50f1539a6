// Figures of the web handset, printed: first load, tap to ring, first voice, mouth to ear beside a WebRTC call of the same
// browsers in the same run, and what DRED rebuilds under loss. Only what does not depend on the machine's speed is asserted.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Handset } from './lib/handset.mjs';
import { Office } from './lib/office.mjs';
import { delays, median, record } from './lib/sound.mjs';

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

const now = () => performance.timeOrigin + performance.now();
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

test('mouth to ear, and what loss leaves', async () => {
  const tapped = now();
  await anna.press('Call Boris');
  await boris.page.getByRole('dialog').waitFor();
  const rang = now();
  await boris.press('Answer');
  const answered = now();
  await anna.sees('Connected');
  console.log(`tap to ring on screen ${(rang - tapped).toFixed(0)} ms, answer to connected on screen ${(now() - answered).toFixed(0)} ms`);
  await anna.page.waitForTimeout(6_000);
  const [a, b] = await Promise.all([record(anna.page, 10_000), record(boris.page, 10_000)]);
  console.log(`Hotline, mouth to ear p50: ${p50(delays(a.mic, b.ear))} and ${p50(delays(b.mic, a.ear))}`);

  // One datagram in five of what comes down is lost, in runs of four.
  let left = 0;
  embassy.tap.lose = (up) => {
    if (up) return false;
    if (left > 0) return (left -= 1) >= 0;
    if (Math.random() < 0.05) left = 4;
    return false;
  };
  await boris.page.waitForTimeout(10_000);
  embassy.tap.lose = () => false;
  await boris.page.locator('details.figures summary').click();
  const figures = await boris.page.locator('details.figures').innerText();
  console.log('with 20 % lost in bursts:', figures.replace(/\s+/g, ' '));
  const [, rebuilt] = figures.match(/Frames played, rebuilt, concealed\s+\d+\D+(\d+)/);
  assert.ok(Number(rebuilt) > 10, 'DRED rebuilds lost frames in the browser');
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
  await anna.page.waitForTimeout(6_000);
  const [a, b] = await Promise.all([record(anna.page, 10_000), record(boris.page, 10_000)]);
  console.log(`WebRTC, mouth to ear p50: ${p50(delays(a.mic, b.ear))} and ${p50(delays(b.mic, a.ear))}`);
  assert.ok(a.ear.samples.length > 0, 'the comparison was heard');
});
