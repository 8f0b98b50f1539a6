// A principal at a web handset and an attendant of the same office: who sees whether the principal is free, who calls in whose name, and by
// which rules calls come about.
//
//   Ministry: Anna (in Chromium), Boris (native)      Embassy: Clara (native), who has cards of both

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serious } from './lib/axe.mjs';
import { Handset } from './lib/handset.mjs';
import { Native } from './lib/native.mjs';
import { Office } from './lib/office.mjs';

let ministry, embassy, anna, boris, clara;

/** Cards handed over in person, from one native handset to another. */
async function meet(one, other) {
  one.say('card in-person somebody');
  const { link } = await one.until((said) => said.event === 'card-issued');
  other.say(`redeem in-person ${link}`);
}

/** A native handset's contact, once it is so. */
async function knows(native, name, is = () => true) {
  for (const deadline = Date.now() + 30_000; ; ) {
    native.say('contacts');
    const { contacts } = await native.until((said) => said.contacts);
    const found = contacts.find((c) => c.name === name && c.progress === 'accepted' && is(c));
    if (found) return found;
    assert.ok(Date.now() < deadline, `${name} of ${JSON.stringify(contacts)}`);
    await anna.page.waitForTimeout(200);
  }
}

async function open(name) {
  await anna.press('Contacts');
  await anna.page.locator('.contact-main', { hasText: name }).click();
  await anna.page.getByRole('heading', { name, level: 1 }).waitFor();
}

before(async () => {
  [ministry, embassy] = await Promise.all(['Ministry', 'Embassy'].map((name) => Office.start(name, { tapped: false })));
  anna = await Handset.open(ministry.enroll('Anna'), 'caller');
  [boris, clara] = await Promise.all([[ministry, 'Boris'], [embassy, 'Clara']].map(([office, name]) => Native.start(office.links(name).native, name, 'callee')));
  boris.say(`redeem in-person ${await anna.giveCard('Boris')}`);
  clara.say(`redeem in-person ${await anna.giveCard('Clara')}`);
  await meet(boris, clara);
  await anna.press('Contacts');
  for (const name of ['Boris', 'Clara']) await anna.button(`Call ${name}`).waitFor();
  await knows(clara, 'Boris');
});

after(async () => {
  await anna?.close();
  for (const one of [boris, clara, ministry, embassy]) await one?.stop();
});

test('the attendant sees whether the principal is free, and nobody of another office is offered that', async () => {
  await open('Clara');
  await anna.page.getByRole('heading', { name: 'Your staff' }).waitFor();
  assert.equal(await anna.page.getByText('Sees whether you are free').count(), 0);
  await open('Boris');
  await anna.page.getByText('Sees whether you are free').click();
  await knows(boris, 'Anna', (c) => c.lamp === 'free');
  assert.deepEqual(await serious(anna.page), []);
  await anna.press('Settings');
  await anna.page.getByText('Do not disturb', { exact: true }).click();
  await anna.page.getByText('Do not disturb is on').waitFor();
  await knows(boris, 'Anna', (c) => c.lamp === 'away');
  await anna.press('Turn it off');
  await knows(boris, 'Anna', (c) => c.lamp === 'free');
});

test('the attendant calls in the name of the principal, until it is taken back', async () => {
  await open('Boris');
  await anna.press('Allow it');
  await anna.page.getByText('Allowed until').waitFor();
  assert.deepEqual(await serious(anna.page), []);
  const principal = await knows(boris, 'Anna', (c) => c.may_call_for);
  boris.say(`call ${(await knows(boris, 'Clara')).contact} for ${principal.contact}`);
  const { behalf } = await clara.until((said) => said.event === 'behalf');
  assert.deepEqual([behalf.name, behalf.verified], ['Anna', true]);
  boris.say('hangup');
  await anna.press('Take it back');
  await anna.page.getByText('Taken back.').waitFor();
  await knows(boris, 'Anna', (c) => !c.may_call_for);
});

test('at the web handset a call is placed in the name of a principal, and says so', async () => {
  boris.say(`delegate ${(await knows(boris, 'Anna')).contact} place 2`);
  await open('Clara');
  await anna.press('Call in the name of Boris');
  await anna.page.locator('.call').getByText('In the name of Boris').waitFor();
  const { behalf } = await clara.until((said) => said.event === 'behalf');
  assert.deepEqual([behalf.name, behalf.verified], ['Boris', true]);
  clara.say('answer');
  await anna.sees('Connected');
  assert.deepEqual(await serious(anna.page), []);
  await anna.press('End');
});

test('rules for calls are made on the page, told to whom they concern, and say who can help', async () => {
  await open('Clara');
  const rules = anna.page.getByRole('region', { name: 'Rules for calls with Clara' });
  await rules.getByLabel('Who arranges the calls?').selectOption({ label: 'Boris' });
  await rules.getByText('At certain hours only').click();
  assert.deepEqual(await serious(anna.page), []);
  await rules.getByText('At certain hours only').click();
  await rules.getByRole('button', { name: 'Save' }).click();
  await anna.page.getByText('Calls through staff only').waitFor();
  await anna.page.getByText('Who can help: Boris, Anna').waitFor();
  const { contact, barred } = await knows(clara, 'Anna', (c) => c.barred);
  assert.deepEqual(barred, { rule: 'through-staff', of: 'theirs', lifted_by: ['Boris', 'Anna'] });
  clara.say(`call ${contact}`);
  await clara.until((said) => said.error?.includes('calls through staff only'));
  await anna.page.getByRole('button', { name: 'Call', exact: true }).click();
  await anna.page.locator('.notices').getByText('Calls through staff only').waitFor();
  await rules.getByLabel('Who arranges the calls?').selectOption({ label: 'Nobody: direct calls' });
  await rules.getByRole('button', { name: 'Save' }).click();
  await knows(clara, 'Anna', (c) => !c.barred);
});

test('rules of the contact are shown, and a call against them is not placed', async () => {
  const { contact } = await knows(clara, 'Anna');
  clara.say(`policy ${contact} interpreter yes`);
  await anna.page.getByRole('heading', { name: 'Rules of Clara' }).waitFor();
  await anna.page.getByText('Who can help: Clara').waitFor();
  assert.deepEqual(await serious(anna.page), []);
  await anna.page.getByRole('button', { name: 'Call', exact: true }).click();
  await anna.page.locator('.notices').getByText('Only with an interpreter in the call').waitFor();
  clara.say(`policy ${contact} none`);
  await anna.page.getByRole('heading', { name: 'Rules of Clara' }).waitFor({ state: 'detached' });
});

/** Lets Boris do one thing in Anna's name, and nothing else; what he was allowed before is taken back. */
async function allow(right, word) {
  await open('Boris');
  const back = anna.button('Take it back');
  if (await back.count()) await back.click();
  await anna.page.getByLabel('Call others in your name').uncheck();
  await anna.page.getByLabel(right).check();
  await anna.press('Allow it');
  return knows(boris, 'Anna', (c) => c.may.includes(word));
}

test('the attendant answers for the principal, who reads it and is not heard', async () => {
  await allow('Answer calls that ring here', 'receive');
  clara.say(`call ${(await knows(clara, 'Anna')).contact}`);
  await anna.page.getByRole('dialog').getByText('It rings at Boris, too').waitFor();
  assert.deepEqual(await serious(anna.page), []);
  await boris.until((said) => said.event === 'incoming');
  boris.say('answer');
  await anna.page.getByText('Boris has the call, for you').waitFor();
  const { room, call } = await clara.until((said) => said.event === 'room' && said.room.members.some((m) => m.behalf) && said.room.members.length === 2);
  await clara.until((said) => said.event === 'call' && said.call === call && said.state === 'connected');
  assert.deepEqual(room.members.map((m) => [m.name, m.behalf]).sort(), [['Boris', 'Anna'], ['Clara', null]]);
  clara.say('hangup');
  await boris.until((said) => said.event === 'call' && said.state === 'ended(byother)');
});

test('the attendant is asked first, and the principal answers all the same', async () => {
  await allow('Be asked first', 'screen');
  clara.say(`call ${(await knows(clara, 'Anna')).contact}`);
  await anna.page.getByRole('dialog').getByText('Boris is asked first. You can answer all the same.').waitFor();
  await anna.press('Answer');
  await anna.sees('Connected');
  await anna.press('End');
});

test('the attendant comes into a call, and is on the screen', async () => {
  const { contact } = await allow('Come into your calls', 'join');
  await open('Clara');
  // Earlier calls are over.
  clara.seen.splice(0);
  await anna.page.getByRole('button', { name: 'Call', exact: true }).click();
  await clara.until((said) => said.event === 'incoming');
  clara.say('answer');
  await anna.sees('Connected');
  boris.say(`join ${contact}`);
  await anna.page.getByText('Boris comes into your call, as you allowed.').waitFor();
  await anna.page.locator('.member', { hasText: 'Boris' }).waitFor();
  assert.deepEqual(await serious(anna.page), []);
  await anna.press('End');
});

test('the attendant keeps the contacts, and what was done is written down', async () => {
  const { contact } = await allow('Keep your contacts', 'manage');
  boris.say(`manage ${contact} card Pavel`);
  await open('Boris');
  const done = anna.page.locator('.done-for-me', { hasText: 'A card for Pavel' });
  await done.getByText('Done').waitFor();
  assert.deepEqual(await serious(anna.page), []);
});

test('at the web handset the contacts of a principal are listed, and a card is made for one more', async () => {
  boris.say(`delegate ${(await knows(boris, 'Anna')).contact} manage 2`);
  await open('Boris');
  const theirs = anna.page.getByRole('region', { name: 'Contacts of Boris' });
  await theirs.getByRole('button', { name: 'List them' }).click();
  await theirs.getByText('Clara', { exact: true }).waitFor();
  await theirs.getByLabel('For whom is the card?').fill('Pavel');
  await theirs.getByRole('button', { name: 'Make the card' }).click();
  await theirs.getByRole('button', { name: 'Copy link' }).waitFor();
  assert.deepEqual(await serious(anna.page), []);
  boris.say('managed');
  const { managed } = await boris.until((said) => said.managed);
  assert.deepEqual(managed.map((m) => [m.by, m.what, m.subject, m.state]), [['Anna', 'card', 'Pavel', 'done']]);
  assert.deepEqual(anna.errors, []);
});
