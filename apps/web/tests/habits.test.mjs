// What people expect of a telephone: a card is scanned from a screen, keys alone will do, the screen stays on during a call, and
// a call is announced to who does not look; a finger on the key that answers opens the microphone, and one that slides off it closes it again.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serious } from './lib/axe.mjs';
import { filmOf } from './lib/camera.mjs';
import { Handset } from './lib/handset.mjs';
import { tabTo, type } from './lib/keys.mjs';
import { Office } from './lib/office.mjs';

let ministry, embassy, anna, boris;

/** Runs in the page, before its own code: notes cameras, wake locks and notifications, all of them the browser's own. */
function note() {
  const noted = (window.__noted = { cameras: [], microphones: [], locks: [], shown: [] });
  const media = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await media(wanted);
    (wanted.video ? noted.cameras : noted.microphones).push(...stream.getTracks());
    return stream;
  };
  const request = navigator.wakeLock.request.bind(navigator.wakeLock);
  navigator.wakeLock.request = async (kind) => {
    const lock = await request(kind);
    noted.locks.push(lock);
    return lock;
  };
  window.Notification = class extends Notification {
    constructor(title, options) {
      super(title, options);
      const entry = { title, body: options.body, seen: false };
      noted.shown.push(entry);
      this.addEventListener('show', () => (entry.seen = true));
    }
  };
}

async function person(office, name, voice, film) {
  const one = await Handset.open('about:blank', voice, { lock: null, film });
  await one.context.grantPermissions(['microphone', 'camera', 'notifications', 'screen-wake-lock']);
  await one.context.addInitScript(note);
  await one.load(office.enroll(name));
  await one.enrol('Keep nothing');
  return one;
}

before(async () => {
  [ministry, embassy] = [await Office.start('Ministry', { tapped: false }), await Office.start('Embassy', { tapped: false })];
  anna = await person(ministry, 'Anna', 'caller');
});

after(async () => {
  for (const one of [anna, boris]) await one?.close();
  for (const one of [ministry, embassy]) await one?.stop();
});

test('a card is scanned from the other screen', async () => {
  const link = await anna.giveCard('Boris');
  boris = await person(embassy, 'Boris', 'callee', await filmOf(anna.page, 'QR code of the card'));
  await boris.press('Take a card');
  await boris.press('Scan with the camera');
  await boris.page.waitForFunction((link) => document.querySelector('textarea').value === link, link);
  await boris.button('Scan with the camera').waitFor();
  assert.deepEqual(await boris.page.evaluate(() => window.__noted.cameras.map((track) => track.readyState)), ['ended'], 'the camera is off again');
  assert.ok(await boris.page.getByLabel('Yes, in person').isChecked(), 'whoever scans it mostly stands beside its giver');
  await boris.press('Use this card');
  await anna.press('Contacts');
  for (const [one, other] of [[anna, 'Boris'], [boris, 'Anna']]) await one.button(`Call ${other}`).waitFor();
  await anna.page.waitForTimeout(3_000);
});

/** Whether a wake lock is held, once `wanted` is so. */
const awake = ({ page }, wanted) => page.waitForFunction((wanted) => window.__noted.locks.some((lock) => !lock.released) === wanted, wanted);

test('a call by keys alone; no screen of it has a serious violation, and it keeps the screen on', async () => {
  const fine = async () => {
    for (const one of [anna, boris]) assert.deepEqual(await serious(one.page), []);
  };
  await awake(anna, false);
  await tabTo(anna, 'Call Boris');
  await type(anna, 'Enter');
  await boris.page.getByRole('dialog').waitFor();
  await fine();
  await tabTo(boris, 'Answer');
  await type(boris, 'Enter');
  for (const one of [anna, boris]) await one.sees('Connected');
  for (const one of [anna, boris]) await awake(one, true);
  await fine();
  await type(anna, 'm');
  await boris.page.getByText('Anna (muted)').waitFor();
  await type(anna, 'm', 'h');
  await boris.sees('Held by the other side');
  await fine();
  await tabTo(anna, 'Resume');
  await type(anna, 'Enter');
  await boris.sees('Connected');
  await tabTo(boris, 'Write a text');
  await boris.page.keyboard.type('Page three, please');
  await type(boris, 'Enter');
  await anna.page.getByText('Page three, please').waitFor();
  await tabTo(boris, 'End');
  await type(boris, 'Enter');
  await anna.page.getByText('Ended by the other side').first().waitFor();
  await fine();
  for (const one of [anna, boris]) await awake(one, false);
});

/**
 * Puts the window away, or brings it back. A browser that is driven counts as looked at whatever is done to its window, so its page is told what
 * browsers tell pages then: it is hidden, and its wake locks are gone.
 */
async function hide({ page }, hidden) {
  await page.evaluate(async (hidden) => {
    const state = { hidden: { value: hidden, configurable: true }, visibilityState: { value: hidden ? 'hidden' : 'visible', configurable: true } };
    Object.defineProperties(document, state);
    if (hidden) await Promise.all(window.__noted.locks.map((lock) => lock.release()));
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

test('who does not look is told that somebody calls, and nothing more often than once', async () => {
  await boris.press('Contacts');
  await hide(boris, true);
  await anna.press('Contacts');
  await anna.press('Call Boris');
  await boris.page.waitForFunction(() => window.__noted.shown.some((one) => one.seen));
  const shown = await boris.page.evaluate(() => window.__noted.shown);
  assert.deepEqual(shown, [{ title: 'Incoming call: Anna', body: 'for Boris', seen: true }]);
  await hide(boris, false);
  await boris.press('Answer');
  await anna.sees('Connected');
  await anna.press('End');
  await boris.page.getByText('Ended by the other side').first().waitFor();
  assert.equal(await boris.page.evaluate(() => window.__noted.shown.length), 1, 'who looks is told nothing');
});

test('a finger on Answer opens the microphone, and one that slides off closes it again: nothing is answered', async () => {
  await boris.press('Contacts');
  await anna.press('Contacts');
  await anna.press('Call Boris');
  const { x, y, width, height } = await boris.button('Answer').boundingBox();
  const { mouse } = boris.page;
  const open = (n) => boris.page.waitForFunction((wanted) => window.__noted.microphones.filter((one) => one.readyState === 'live').length === wanted, n);
  await open(0);
  await mouse.move(x + width / 2, y + height / 2);
  await mouse.down();
  await open(1);
  await mouse.move(x + width / 2, y - 200);
  await mouse.up();
  await open(0);
  await anna.sees('Ringing');
  await boris.press('Answer');
  await anna.sees('Connected');
  await open(1);
  await anna.press('End');
  await open(0);
});

test('a screen that was dark in a call stays on again', async () => {
  await boris.press('Contacts');
  await boris.press('Call Anna');
  await anna.page.getByRole('dialog').waitFor();
  await anna.press('Answer');
  await boris.sees('Connected');
  await awake(boris, true);
  await hide(boris, true);
  await awake(boris, false);
  await hide(boris, false);
  await awake(boris, true);
  await boris.press('End');
  await awake(boris, false);
});

test('no script failed', () => {
  for (const one of [anna, boris]) assert.deepEqual(one.errors, []);
});
