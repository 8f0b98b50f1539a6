// Two offices, and in each an attendant and a principal at web handsets; an interpreter at a native one. The attendants arrange a
// call, connect it and are gone: by mouse, and again by keyboard alone.
//
//   Ministry: Ada (attendant), Paula (principal), Ines (interpreter)        Embassy: Boris (attendant), Pavel (principal)

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serious } from './lib/axe.mjs';
import { Handset } from './lib/handset.mjs';
import { Native } from './lib/native.mjs';
import { Office } from './lib/office.mjs';
import { correlate, heard, listen } from './lib/sound.mjs';

// What everybody's screen says, when a step fails.
const step = (name, body) =>
  test(name, async () => {
    try {
      await body();
    } catch (failed) {
      for (const one of web()) console.log('---', (await one?.page.locator('main').innerText().catch(String))?.replace(/\s*\n\s*/g, ' | '));
      throw failed;
    }
  });

let ministry, embassy, ada, boris, paula, pavel, ines;
const web = () => [ada, boris, paula, pavel];

before(async () => {
  [ministry, embassy] = await Promise.all([Office.start('Ministry'), Office.start('Embassy')]);
  // One browser after the other: all at once is more than a small machine has.
  ada = await Handset.open(ministry.enroll('Ada'), 'caller');
  boris = await Handset.open(embassy.enroll('Boris'), 'callee');
  paula = await Handset.open(ministry.enroll('Paula'), 'caller');
  pavel = await Handset.open(embassy.enroll('Pavel'), 'callee');
  ines = await Native.start(ministry.links('Ines').native, 'Ines', 'caller');
  ines.say('mute on');
  await boris.takeCard(await ada.giveCard('Boris'));
  await paula.takeCard(await ada.giveCard('Paula'));
  await pavel.takeCard(await boris.giveCard('Pavel'));
  ines.say(`redeem in-person ${await ada.giveCard('Ines')}`);
  for (const [one, others] of [[ada, ['Boris', 'Paula', 'Ines']], [boris, ['Ada', 'Pavel']], [paula, ['Ada']], [pavel, ['Boris']]]) {
    await one.press('Contacts');
    for (const other of others) await one.button(`Call ${other}`).waitFor();
  }
});

after(async () => {
  for (const one of web()) await one?.close();
  await ines?.stop();
  for (const one of [ministry, embassy]) await one?.stop();
});

/** Everybody on somebody's screen, as [name, what], sorted. */
const members = (one) =>
  one.page.locator('.member:not(.bringing)').evaluateAll((rows) =>
    rows.map((row) => `${row.querySelector('strong').textContent}: ${row.querySelector('.member-role').textContent}`).sort());

/** Until just these are on somebody's screen. */
async function shows(one, all) {
  const deadline = Date.now() + 60_000;
  for (let seen; ; await one.page.waitForTimeout(100)) {
    seen = await members(one);
    if (seen.join() === all.slice().sort().join()) return;
    assert.ok(Date.now() < deadline, `the screen shows ${JSON.stringify(seen)}, and not ${JSON.stringify(all)}`);
  }
}

/** Whom `who` sees, of those in the call: its own row says so. */
const rows = (all, who) => all.map((row) => (row.startsWith(`${who}:`) ? row.replace(':', ' (You):') : row));
const STAFF = ['Ada: Attendant · Ministry', 'Boris: Attendant · Embassy'];
const STAY = ['Ines: Interpreter · Ministry', 'Paula: Principal · Ministry', 'Pavel: Principal · Embassy'];

/** What the four web handsets took in and played meanwhile. */
async function sound(ms) {
  await Promise.all(web().map((one) => listen(one.page)));
  await ada.page.waitForTimeout(ms);
  const [a, b, p, v] = await Promise.all(web().map((one) => heard(one.page)));
  return { ada: a, boris: b, paula: p, pavel: v };
}
const peak = ({ samples }) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
const SILENT = 0.003;
const SPEECH = 0.02;

/** The principals hear each other, and the attendants nothing. On a busy machine a buffer may still find its size: up to three times. */
async function onlyPrincipalsHear() {
  for (let tries = 1; ; tries += 1) {
    const at = await sound(6_000);
    const r = { pavel: correlate(at.paula.mic, at.pavel.ear).r, paula: correlate(at.pavel.mic, at.paula.ear).r };
    const own = { pavel: correlate(at.pavel.mic, at.pavel.ear).r, paula: correlate(at.paula.mic, at.paula.ear).r };
    const left = { ada: peak(at.ada.ear), boris: peak(at.boris.ear) };
    console.log('each principal hears the other:', r, 'oneself:', own, 'loudest at those who left:', left);
    assert.ok(left.ada < SILENT && left.boris < SILENT, `who left hears nothing: ${JSON.stringify(left)}`);
    if (['paula', 'pavel'].every((who) => r[who] > 0.35 && r[who] > own[who] + 0.2)) return;
    assert.ok(tries < 3, `the principals hear each other, and not themselves: ${JSON.stringify({ r, own })}`);
  }
}

async function noViolations(...screens) {
  for (const one of screens) assert.deepEqual(await serious(one.page), []);
}

/** Brings somebody in, by mouse. */
async function bring(attendant, whom, role, expected) {
  await attendant.press('Bring somebody in');
  const sheet = attendant.page.getByRole('dialog');
  const [value] = await sheet.getByLabel('Whom?').locator('option', { hasText: whom }).evaluateAll((all) => all.map((o) => o.value));
  await sheet.getByLabel('Whom?').selectOption(value);
  await sheet.getByLabel('As what?').selectOption({ label: role });
  await sheet.getByLabel('Who is expected?').fill(expected);
  await sheet.getByRole('button', { name: 'Ring', exact: true }).click();
}

step('the attendants speak', async () => {
  await ada.press('Call Boris');
  await boris.page.getByRole('dialog').waitFor();
  await boris.press('Answer');
  for (const one of [ada, boris]) await one.sees('Connected');
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
  await noViolations(paula);
});

step('an interpreter is on every screen, as everybody is', async () => {
  await bring(ada, 'Ines', 'Interpreter', 'Pavel');
  await ines.until((said) => said.event === 'incoming');
  ines.say('answer');
  await ada.page.getByText('Ines').first().waitFor();
  await bring(boris, 'Pavel', 'Principal', 'Paula');
  await pavel.page.getByRole('dialog').waitFor();
  await pavel.press('Answer');
  await pavel.sees('Held');
  for (const [one, who] of [[ada, 'Ada'], [boris, 'Boris'], [paula, 'Paula'], [pavel, 'Pavel']]) {
    await shows(one, rows([...STAFF, ...STAY], who));
  }
  await ada.page.locator('.stage[aria-current=step]', { hasText: 'Held' }).waitFor();
  await noViolations(ada, paula);
});

step('who is held neither hears nor is heard', async () => {
  // The attendants say nothing, so that whatever is heard came from a principal.
  for (const one of [ada, boris]) await one.press('Mute');
  await ada.page.waitForTimeout(1_500);
  const at = await sound(3_000);
  const said = [at.paula.mic, at.pavel.mic].map(peak);
  const ears = Object.values(at).map(({ ear }) => peak(ear));
  console.log('principals said', said, 'heard anywhere', ears);
  assert.ok(said.every((loud) => loud > SPEECH), 'both principals speak into their microphones');
  assert.ok(ears.every((loud) => loud < SILENT), `and nobody hears it: ${ears}`);
  for (const one of [ada, boris]) await one.press('Unmute');
  await ada.page.waitForTimeout(1_000);
  const talk = await sound(2_500);
  assert.ok(peak(talk.ada.ear) > SPEECH && peak(talk.boris.ear) > SPEECH, 'the attendants hear each other');
  assert.ok(peak(talk.paula.ear) < SILENT && peak(talk.pavel.ear) < SILENT, 'and the principals do not');
});

step('an attendant announces to those who are held', async () => {
  await ada.press('Announce');
  await ada.page.getByText('Who is held hears you now.').waitFor();
  await ada.page.waitForTimeout(1_000);
  const at = await sound(2_500);
  assert.ok(peak(at.paula.ear) > SPEECH && peak(at.pavel.ear) > SPEECH, 'both hear the announcement');
  await ada.press('Stop announcing');
});

step('connected, the principals hear each other and the attendants nothing', async () => {
  await ada.page.getByText('From then on you cannot hear the call').waitFor();
  await ada.press('Connect them');
  for (const one of [ada, boris]) await one.sees('You have left the call');
  for (const [one, who] of [[paula, 'Paula'], [pavel, 'Pavel']]) {
    await one.sees('Connected');
    await shows(one, rows(STAY, who));
  }
  await noViolations(ada, paula);
  await onlyPrincipalsHear();
});

step('the call ends for all', async () => {
  await paula.press('End');
  ines.say('hangup');
  await pavel.page.getByText(/Ended/).first().waitFor();
});

/** Presses Tab until the focus is on a button of this name. */
async function tabTo({ page }, name) {
  for (let tabs = 0; tabs < 80; tabs += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => {
      const e = document.activeElement;
      return e?.getAttribute('aria-label') ?? e?.innerText?.trim();
    });
    if (here === name) return;
  }
  assert.fail(`no ${name} is reached by Tab`);
}
const type = ({ page }, ...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

/** Brings somebody in by keys: B, then the name, the role, who is expected. */
async function bringByKeys(one, whom, role, expected) {
  await type(one, 'b');
  await one.page.getByRole('dialog').waitFor();
  await one.page.keyboard.type(whom);
  await type(one, 'Tab');
  await one.page.keyboard.type(role);
  await type(one, 'Tab');
  await one.page.keyboard.type(expected);
  await type(one, 'Enter');
}

step('the same by keyboard alone', async () => {
  for (const one of web()) await one.page.getByRole('button', { name: /^Call / }).first().waitFor();
  await tabTo(ada, 'Call Boris');
  await type(ada, 'Enter');
  await boris.page.getByRole('dialog').waitFor();
  await type(boris, 'a');
  for (const one of [ada, boris]) await one.sees('Connected');
  for (const [attendant, principal, whom, expected] of [[ada, paula, 'Paula', 'Pavel'], [boris, pavel, 'Pavel', 'Paula']]) {
    await bringByKeys(attendant, whom, 'Principal', expected);
    await principal.page.getByRole('dialog').getByText(new RegExp(`Expected: ${expected}, `)).waitFor();
    await type(principal, 'a');
    await principal.sees('Held');
  }
  const all = [...STAFF, ...STAY.slice(1)];
  await shows(boris, rows(all, 'Boris'));
  await type(boris, 'n');
  await boris.page.getByText('Who is held hears you now.').waitFor();
  await type(boris, 'n');
  await boris.button('Announce').waitFor();
  await boris.button('Connect them').waitFor();
  await type(boris, 'c', 'Enter');
  for (const one of [ada, boris]) await one.sees('You have left the call');
  for (const [one, who] of [[paula, 'Paula'], [pavel, 'Pavel']]) {
    await one.sees('Connected');
    await shows(one, rows(STAY.slice(1), who));
  }
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
