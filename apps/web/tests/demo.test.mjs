// `hotline demo`, and its two links in two windows: nothing to set up, and a call by mouse.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Handset } from './lib/handset.mjs';
import { record } from './lib/sound.mjs';

let demo, anna, boris;
const links = {};

before(async () => {
  demo = spawn(process.env.HOTLINE ?? 'hotline', ['demo'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = [];
  const lines = createInterface({ input: demo.stdout });
  let person;
  for await (const line of lines) {
    said.push(line);
    person = line.match(/^(\w+) \(.*a handset in a browser:$/)?.[1] ?? person;
    const link = line.match(/^\s+(http\S+)$/)?.[1];
    if (link && person) links[person] ??= link;
    if (links.Anna && links.Boris) break;
  }
  assert.ok(links.Anna && links.Boris, `two links are printed: ${said.join('\n')}`);
  demo.stdout.resume();
});

after(async () => {
  for (const one of [anna, boris]) await one?.close();
  demo.kill('SIGINT');
  await once(demo, 'exit');
});

test('two links, two windows, a call', async () => {
  // The browsers' own start is not the page's.
  [anna, boris] = await Promise.all(['caller', 'callee'].map((voice) => Handset.open('about:blank', voice, { lock: null })));
  const began = performance.now();
  const after = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  await Promise.all([anna.load(links.Anna), boris.load(links.Boris)]);
  await Promise.all([anna.button('Call Boris').waitFor(), boris.button('Call Anna').waitFor()]);
  const ready = after();
  await anna.press('Call Boris');
  await boris.page.getByRole('dialog').waitFor();
  const rings = after();
  await boris.press('Answer');
  await anna.sees('Connected');
  console.log(`after opening both links: contacts there ${ready}, rings ${rings}, connected ${after()}`);
  for (const one of [anna, boris]) {
    const { ear } = await record(one.page, 4_000);
    const peak = ear.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    assert.ok(peak > 0.02, `speech is heard: ${peak}`);
    assert.deepEqual(one.errors, []);
  }
  await anna.press('End');
});
