// A switchboard position in a real browser: calls wait, are answered, parked and recalled, and a caller is connected to a principal,
// by keys and by dragging. Who calls and who is called is at native handsets.
//
//   Ministry: Ada (the position, in Chromium), Clara, Paula (principal)      Embassy: Boris

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serious } from './lib/axe.mjs';
import { Handset } from './lib/handset.mjs';
import { Native } from './lib/native.mjs';
import { Office } from './lib/office.mjs';

let ministry, embassy, ada, boris, clara, paula;

before(async () => {
  [ministry, embassy] = await Promise.all(['Ministry', 'Embassy'].map((name) => Office.start(name, { tapped: false })));
  ada = await Handset.open(ministry.enroll('Ada'), 'caller');
  await ada.page.setViewportSize({ width: 1400, height: 900 });
  [boris, clara, paula] = await Promise.all([[embassy, 'Boris'], [ministry, 'Clara'], [ministry, 'Paula']].map(
    ([office, name]) => Native.start(office.links(name).native, name, 'callee'),
  ));
  for (const [name, native] of [['Boris', boris], ['Clara', clara], ['Paula', paula]]) {
    native.say(`redeem in-person ${await ada.giveCard(name)}`);
    await ada.press('Contacts');
    await ada.button(`Call ${name}`).waitFor();
  }
});

after(async () => {
  await ada?.close();
  for (const one of [boris, clara, paula, ministry, embassy]) await one?.stop();
});

/** Until a native handset's call is in this state. */
const hears = (native, state) => native.until((said) => said.event === 'call' && said.state === state);
const queued = (name) => ada.page.locator('.queued', { hasText: name });
const speaksWith = (name) => ada.page.locator('.console-call .call.look-connected h1', { hasText: name }).waitFor();

test('the position is turned on, and its page is the console', async () => {
  await ada.press('Settings');
  await ada.page.getByText('This handset is a switchboard position').click();
  await ada.press('Open the console');
  await ada.page.getByRole('heading', { name: 'Console', level: 1 }).waitFor();
  await ada.page.getByText('Nobody waits.').waitFor();
});

test('calls wait in the queue, and A answers who waits longest', async () => {
  boris.say('call 1');
  await queued('Boris').waitFor();
  await hears(boris, 'ringing');
  assert.equal(await ada.page.getByRole('dialog').count(), 0, 'nothing covers the console');
  await ada.page.keyboard.press('a');
  await speaksWith('Boris');
  clara.say('call 1');
  await queued('Clara').waitFor();
  await hears(clara, 'ringing');
  await queued('Clara').getByText(/waits 0:0[2-9]/).waitFor();
  assert.deepEqual(await serious(ada.page), []);
});

test('a call is parked with its reason, by keys, while the next is answered', async () => {
  await ada.page.keyboard.press('p');
  await ada.page.keyboard.type('Paula is called');
  await ada.page.keyboard.press('Enter');
  await hears(boris, 'heldbyother');
  await queued('Boris').getByText('Paula is called').waitFor();
  await queued('Boris').getByText(/Recall in 2:5\d/).waitFor();
  await ada.page.locator('h1', { hasText: 'Console' }).focus();
  await ada.page.keyboard.press('a');
  await speaksWith('Clara');
  await hears(clara, 'connected');
  await ada.page.keyboard.press('e');
  await hears(clara, 'ended(byother)');
  await ada.page.keyboard.press('r');
  await speaksWith('Boris');
  await hears(boris, 'connected');
});

test('a principal is dragged onto the call, and connected', async () => {
  await ada.page.locator('.dir-main', { hasText: 'Paula' }).dragTo(ada.page.locator('.console-call'));
  const sheet = ada.page.getByRole('dialog');
  await sheet.getByRole('button', { name: 'Ring', exact: true }).click();
  await paula.until((said) => said.event === 'incoming');
  paula.say('answer');
  await ada.page.locator('.member:not(.bringing)', { hasText: 'Paula' }).waitFor();
  await ada.button('Connect them').waitFor();
  assert.deepEqual(await serious(ada.page), []);
  await ada.page.keyboard.press('c');
  await ada.page.keyboard.press('Enter');
  await ada.sees('You have left the call');
  for (const one of [boris, paula]) await hears(one, 'connected');
  paula.say('hangup');
  await hears(boris, 'ended(byother)');
});

test('an appointment is made and rings', async () => {
  await ada.press('New appointment');
  const sheet = ada.page.getByRole('dialog');
  const whom = sheet.getByLabel('With whom?');
  await whom.selectOption(await whom.locator('option', { hasText: 'Boris' }).getAttribute('value'));
  await sheet.getByLabel('Agenda').fill('Fisheries');
  await sheet.getByLabel('Their clock').selectOption('345');
  await sheet.getByRole('button', { name: 'Save' }).click();
  await queued('Fisheries').getByText(/There: .*UTC\+5:45/).waitFor();
  await ada.page.getByRole('button', { name: /^Start now/ }).click();
  await boris.until((said) => said.event === 'incoming');
  boris.say('answer');
  await speaksWith('Boris');
  await ada.page.keyboard.press('e');
  assert.deepEqual(ada.errors, []);
});
