// A web handset and a native one: each calls the other, and the web handset hears speech, also when its loudspeaker has to be opened anew.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Handset } from './lib/handset.mjs';
import { Native } from './lib/native.mjs';
import { Office } from './lib/office.mjs';
import { record } from './lib/sound.mjs';

let ministry, embassy, anna, boris;

/** Runs in the page, before its own code: notes what bursts the loudspeaker is asked for, and says how it plays in place of the browser. */
function note() {
  window.__hints = [];
  window.__stats = { totalDuration: 10, underrunDuration: 0.2, underrunEvents: 2 };
  window.AudioContext = class extends AudioContext {
    constructor(options) {
      super(options);
      window.__hints.push(options.latencyHint);
    }
    get playbackStats() {
      return window.__stats;
    }
  };
}

before(async () => {
  [ministry, embassy] = [await Office.start('Ministry'), await Office.start('Embassy')];
  anna = await Handset.open('about:blank', 'caller', { lock: null });
  await anna.context.addInitScript(note);
  await anna.load(ministry.enroll('Anna'));
  await anna.enrol('Keep nothing');
  boris = await Native.start(embassy.links('Boris').native, 'Boris', 'callee');
  boris.say(`redeem in-person ${await anna.giveCard('Boris')}`);
  await anna.press('Contacts');
  await anna.page.getByRole('button', { name: 'Call Boris' }).waitFor();
});

after(async () => {
  await anna?.close();
  await boris?.stop();
  for (const one of [ministry, embassy]) await one?.stop();
});

/** The loudest of what was played: speech, not silence. */
async function hears() {
  const { ear } = await record(anna.page, 4_000);
  const peak = ear.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  assert.ok(peak > 0.02, `speech is heard: ${peak}`);
}

test('web to native', async () => {
  await anna.press('Call Boris');
  await boris.until((said) => said.event === 'incoming');
  boris.say('answer');
  await anna.sees('Connected');
  await boris.until((said) => said.event === 'voice');
  await hears();
  await anna.press('End');
  await boris.until((said) => said.event === 'call' && JSON.stringify(said.state).includes('ended'));
});

test('native to web', async () => {
  boris.say('call 1');
  await anna.page.getByRole('dialog').waitFor();
  await anna.press('Answer');
  await anna.sees('Connected');
  await boris.until((said) => said.event === 'voice');
  await hears();
  boris.say('hangup');
  await anna.page.getByText('Ended by the other side').first().waitFor();
});

const hints = () => anna.page.evaluate(() => window.__hints.join());

test('a loudspeaker that stutters with short bursts is opened again, once, and gets longer ones', async () => {
  assert.doesNotMatch(await hints(), /interactive/, 'this one does not');
  await anna.page.evaluate(() => {
    window.__stats.underrunEvents = 40;
    window.__hints.length = 0;
  });
  const call = async () => {
    boris.say('call 1');
    await anna.page.getByRole('dialog').waitFor();
    await anna.press('Answer');
    await anna.sees('Connected');
    await boris.until((said) => said.event === 'voice');
    const deadline = Date.now() + 30_000;
    while (!(await hints()).includes('interactive')) {
      assert.ok(Date.now() < deadline, `it was asked for ${await hints()} only`);
      await anna.page.waitForTimeout(200);
    }
    await hears();
    boris.say('hangup');
    await anna.page.getByText('Ended by the other side').first().waitFor();
  };
  await call();
  assert.equal(await hints(), '0,interactive');
  await anna.press('Contacts');
  await call();
  assert.equal(await hints(), '0,interactive,interactive', 'it is remembered');
});
