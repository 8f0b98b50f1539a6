// Two offices, and in each an attendant at a console and a principal at a web handset; an interpreter and a note-taker at native
// ones. The attendants arrange a call, connect it and are gone: by mouse, and again by keyboard alone.
//
//   Ministry: Ada (console), Paula (principal), Ines (interpreter)
//   Embassy:  Boris (console), Pavel (principal), Nora (note-taker, who only listens)
//
// Four handsets in browsers are as much as two processors bear: each office has one browser, and its people a context each.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serious } from './lib/axe.mjs';
import { Handset, shared } from './lib/handset.mjs';
import { type } from './lib/keys.mjs';
import { Native } from './lib/native.mjs';
import { Office } from './lib/office.mjs';
import { correlate, heard, listen } from './lib/sound.mjs';

let ministry, embassy, ada, boris, paula, pavel, ines, nora;
const browsers = [];
const web = () => [ada, boris, paula, pavel];
const natives = () => [ines, nora];

/** A step; what everybody's screen says, when it fails. After that the others could only wait. */
let broken = false;
const step = (name, body) =>
  test(name, async () => {
    assert.ok(!broken, 'a step before this one failed');
    const began = performance.now();
    try {
      await body();
      console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    } catch (failed) {
      broken = true;
      for (const one of web()) console.log('---', (await one?.page.locator('main').innerText().catch(String))?.replace(/\s*\n\s*/g, ' | '));
      throw failed;
    }
  });

before(async () => {
  [ministry, embassy] = await Promise.all(['Ministry', 'Embassy'].map((name) => Office.start(name, { tapped: false })));
  for (const voice of ['caller', 'callee']) browsers.push(await shared(voice));
  ada = await Handset.open(ministry.enroll('Ada'), browsers[0]);
  boris = await Handset.open(embassy.enroll('Boris'), browsers[1]);
  paula = await Handset.open(ministry.enroll('Paula'), browsers[0]);
  pavel = await Handset.open(embassy.enroll('Pavel'), browsers[1]);
  ines = await Native.start(ministry.links('Ines').native, 'Ines', 'caller');
  nora = await Native.start(embassy.links('Nora').native, 'Nora', 'callee');
  ines.say('mute on');
  await boris.takeCard(await ada.giveCard('Boris'));
  await paula.takeCard(await ada.giveCard('Paula'));
  await pavel.takeCard(await boris.giveCard('Pavel'));
  ines.say(`redeem in-person ${await ada.giveCard('Ines')}`);
  nora.say(`redeem in-person ${await boris.giveCard('Nora')}`);
  for (const [one, others] of [[ada, ['Boris', 'Paula', 'Ines']], [boris, ['Ada', 'Pavel', 'Nora']], [paula, ['Ada']], [pavel, ['Boris']]]) {
    await one.press('Contacts');
    for (const other of others) await one.button(`Call ${other}`).waitFor();
  }
  for (const attendant of [ada, boris]) {
    await attendant.page.setViewportSize({ width: 1400, height: 900 });
    await attendant.press('Settings');
    await attendant.page.getByText('This handset is a switchboard position').click();
    await attendant.press('Open the console');
    await attendant.page.getByText('Nobody waits.').waitFor();
  }
});

after(async () => {
  for (const one of browsers) await one.close();
  for (const one of natives()) await one?.stop();
  for (const one of [ministry, embassy]) await one?.stop();
});

const STAFF = ['Ada: Attendant · Ministry', 'Boris: Attendant · Embassy'];
const PRINCIPALS = ['Paula: Principal · Ministry', 'Pavel: Principal · Embassy'];
const STAY = [...PRINCIPALS, 'Ines: Interpreter · Ministry', 'Nora: Note-taker · Embassy'];

/** Until just these are on the screens of these people, each with a role; the own row says whose it is. */
async function show(rows, ...people) {
  const names = new Map([[ada, 'Ada'], [boris, 'Boris'], [paula, 'Paula'], [pavel, 'Pavel']]);
  for (const one of people) {
    const wanted = rows.map((row) => (row.startsWith(`${names.get(one)}:`) ? row.replace(':', ' (You):') : row)).sort().join();
    await one.page.waitForFunction((wanted) => {
      const text = (row, part) => row.querySelector(part).textContent;
      const all = [...document.querySelectorAll('.member:not(.bringing)')].map((row) => `${text(row, 'strong')}: ${text(row, '.member-role')}`);
      return all.sort().join() === wanted;
    }, wanted);
  }
}

/** What these took in and played meanwhile. */
async function sound(ms, ...people) {
  await Promise.all(people.map((one) => listen(one.page)));
  await ada.page.waitForTimeout(ms);
  return Promise.all(people.map((one) => heard(one.page)));
}
const peak = ({ samples }) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
const SILENT = 0.003;
const SPEECH = 0.02;

/** How alike two recordings are, in syllables: buffers that find their size stretch what is shorter. */
const alike = (said, heard) => correlate(said, heard, 960).r;

/** The principals hear each other and not themselves, and who left hears nothing. On a busy machine: up to three times. */
async function onlyPrincipalsHear() {
  for (let tries = 1; ; tries += 1) {
    const [left1, left2, p, v] = await sound(6_000, ada, boris, paula, pavel);
    const r = { pavel: alike(p.mic, v.ear), paula: alike(v.mic, p.ear) };
    const own = { pavel: alike(v.mic, v.ear), paula: alike(p.mic, p.ear) };
    const left = [left1, left2].map(({ ear }) => peak(ear));
    console.log('each principal hears the other:', r, 'oneself:', own, 'loudest at those who left:', left);
    assert.ok(left.every((loud) => loud < SILENT), `who left hears nothing: ${left}`);
    if (['paula', 'pavel'].every((who) => r[who] > 0.5 && r[who] > own[who] + 0.2)) return;
    assert.ok(tries < 3, `the principals hear each other, and not themselves: ${JSON.stringify({ r, own })}`);
  }
}

/** The loudest that a native handset heard in so many looks, dBFS. */
async function level(native, looks) {
  let most = -Infinity;
  for (let look = 0; look < looks; look += 1) {
    native.say('status');
    const { calls } = await native.until((said) => said.calls);
    most = Math.max(most, calls.at(-1).level_dbfs);
    await ada.page.waitForTimeout(100);
  }
  return most;
}

async function noViolations(...people) {
  for (const one of people) assert.deepEqual(await serious(one.page), []);
}

/** A person in the directory of a console. */
const listed = (attendant, whom) => attendant.page.locator('.dir-main', { hasText: whom });
const queued = (attendant, whom) => attendant.page.locator('.queued', { hasText: whom });

/** Brings somebody in, by mouse: dragged from the directory onto the call. */
async function bring(attendant, whom, role, expected) {
  await listed(attendant, whom).dragTo(attendant.page.locator('.console-call'));
  const sheet = attendant.page.getByRole('dialog');
  await sheet.getByLabel('As what?').selectOption({ label: role });
  await sheet.getByLabel('Who is expected?').fill(expected);
  await sheet.getByRole('button', { name: 'Ring', exact: true }).click();
}

async function left(...attendants) {
  for (const one of attendants) {
    await one.sees('You have left the call');
    await one.page.getByText('It goes on without you').waitFor();
  }
}

step('the attendants speak', async () => {
  await listed(ada, 'Boris').click();
  await queued(boris, 'Ada').getByRole('button', { name: 'Answer: Ada' }).click();
  for (const one of [ada, boris]) await one.sees('Connected');
  await ada.page.waitForTimeout(1_000);
  const talk = (await sound(2_500, ada, boris)).map(({ ear }) => peak(ear));
  assert.ok(talk.every((loud) => loud > SPEECH), `they hear each other: ${talk}`);
  // They say nothing until both principals are there, so that whatever is heard then came from a principal.
  for (const one of [ada, boris]) await one.press('Mute');
});

step('a principal is asked in which role and by whom, and is held', async () => {
  await bring(ada, 'Paula', 'Principal', 'Pavel');
  const asked = paula.page.getByRole('dialog');
  await asked.waitFor();
  for (const words of ['Ada asks you into a call, as:', 'Principal', 'Expected: Pavel, Embassy']) {
    await asked.getByText(words, { exact: true }).waitFor();
  }
  await noViolations(paula);
  await paula.press('Answer');
  await paula.sees('Held');
  await paula.page.getByText('Please hold: Pavel, Embassy is expected. Your microphone is closed').waitFor();
  await paula.page.getByText('Microphone closed: nobody hears you').waitFor();
  await bring(boris, 'Pavel', 'Principal', 'Paula');
  await pavel.page.getByRole('dialog').waitFor();
  await pavel.press('Answer');
  await pavel.sees('Held');
});

step('interpreter and note-taker are on every screen, as everybody is', async () => {
  for (const [attendant, native, whom, role] of [[ada, ines, 'Ines', 'Interpreter'], [boris, nora, 'Nora', 'Note-taker']]) {
    await bring(attendant, whom, role, 'Pavel');
    await native.until((said) => said.event === 'incoming');
    native.say('answer');
  }
  await show([...STAFF, ...STAY], ...web());
  await ada.page.locator('.stage[aria-current=step]', { hasText: 'Held' }).waitFor();
  await noViolations(ada, paula);
});

step('who is held neither hears nor is heard', async () => {
  const all = await sound(3_000, ...web());
  const said = all.slice(2).map(({ mic }) => peak(mic));
  const ears = all.map(({ ear }) => peak(ear));
  console.log('principals said', said, 'heard anywhere', ears);
  assert.ok(said.every((loud) => loud > SPEECH), 'both principals speak into their microphones');
  assert.ok(ears.every((loud) => loud < SILENT), `and nobody hears it: ${ears}`);
  for (const one of [ada, boris]) await one.press('Unmute');
  await ada.page.waitForTimeout(1_000);
  const talk = (await sound(2_500, ...web())).map(({ ear }) => peak(ear));
  assert.ok(talk[0] > SPEECH && talk[1] > SPEECH, `the attendants hear each other: ${talk}`);
  assert.ok(talk[2] < SILENT && talk[3] < SILENT, `and the principals do not: ${talk}`);
});

step('an attendant announces to those who are held', async () => {
  await ada.press('Announce');
  await ada.page.getByText('Who is held hears you now.').waitFor();
  await ada.page.waitForTimeout(1_000);
  const ears = (await sound(2_500, paula, pavel)).map(({ ear }) => peak(ear));
  assert.ok(ears.every((loud) => loud > SPEECH), `both hear the announcement: ${ears}`);
  await ada.press('Stop announcing');
  await ada.button('Announce').waitFor();
});

step('connected, the principals hear each other and the attendants nothing', async () => {
  await ada.page.getByText('From then on you cannot hear the call').waitFor();
  await ada.press('Connect them');
  await left(ada, boris);
  for (const one of [paula, pavel]) await one.sees('Connected');
  await show(STAY, paula, pavel);
  await noViolations(ada, paula);
  await onlyPrincipalsHear();
  const loud = await level(nora, 20);
  assert.ok(loud > -50, `the note-taker hears them: ${loud} dBFS`);
});

step('the call ends for all', async () => {
  await paula.press('End');
  for (const one of natives()) one.say('hangup');
  await pavel.page.getByText(/Ended/).first().waitFor();
});

/** Finds somebody by keys: B, the name, down to the first of the list, Enter. */
async function findByKeys(one, whom) {
  await type(one, 'b');
  await one.page.keyboard.type(whom);
  await type(one, 'ArrowDown', 'Enter');
}

/** Brings somebody in by keys: found, then the role, and who is expected. */
async function bringByKeys(one, whom, role, expected) {
  await findByKeys(one, whom);
  await one.page.getByRole('dialog').waitFor();
  await type(one, 'Tab');
  await one.page.keyboard.type(role);
  await type(one, 'Tab');
  await one.page.keyboard.type(expected);
  await type(one, 'Enter');
}

step('the same by keyboard alone', async () => {
  for (const one of [paula, pavel]) await one.page.getByRole('button', { name: /^Call / }).first().waitFor();
  for (const one of [ada, boris]) await one.page.getByText('Nobody waits.').waitFor();
  await findByKeys(ada, 'Boris');
  await queued(boris, 'Ada').waitFor();
  await type(boris, 'a');
  for (const one of [ada, boris]) await one.sees('Connected');
  for (const [attendant, principal, whom, expected] of [[ada, paula, 'Paula', 'Pavel'], [boris, pavel, 'Pavel', 'Paula']]) {
    await bringByKeys(attendant, whom, 'Principal', expected);
    await principal.page.getByRole('dialog').getByText(new RegExp(`Expected: ${expected}, `)).waitFor();
    await type(principal, 'a');
    await principal.sees('Held');
  }
  await show([...STAFF, ...PRINCIPALS], boris);
  await type(boris, 'n');
  await boris.page.getByText('Who is held hears you now.').waitFor();
  await type(boris, 'n');
  await boris.button('Announce').waitFor();
  await boris.button('Connect them').waitFor();
  await type(boris, 'c', 'Enter');
  await left(ada, boris);
  for (const one of [paula, pavel]) await one.sees('Connected');
  await show(PRINCIPALS, paula, pavel);
  await onlyPrincipalsHear();
  await type(pavel, 'e');
  await paula.page.getByText('Ended by the other side').first().waitFor();
});

step('nothing was asked of anybody but the own exchange, and no script failed', () => {
  for (const [one, office] of [[ada, ministry], [paula, ministry], [boris, embassy], [pavel, embassy]]) {
    const elsewhere = one.requests.filter((url) => !url.startsWith(`${office.web}/`) && !url.startsWith('blob:'));
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(one.errors, []);
  }
});
