// Every screen, looked at: phone and desktop, light and dark, and from right to left; axe-core finds no serious violation.
//
//   node screens.mjs [--only NAME,NAME] [--looks NAME,NAME] [--module FOLDER] [--out FOLDER]
import { mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { serious } from './lib/axe.mjs';
import { serve } from './lib/serve.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: { only: { type: 'string' }, looks: { type: 'string' }, module: { type: 'string' }, out: { type: 'string', default: join(tmpdir(), 'screens') } },
});

const press = (name) => (page) => page.getByRole('button', { name, exact: true }).first().click();
const open = (name) => (page) => page.locator('.contact-main', { hasText: name }).first().click();
const type = (label, text) => (page) => page.getByLabel(label).first().fill(text);
const tab = (n) => (page) => page.locator('.rail .tab').nth(n).click();
const outcome = (page) => page.locator('.outcome').waitFor();
// A key does no more than its button: who is held by attendants cannot hold. What was pressed after it has been done, so it was, too.
async function heldByKeys(page) {
  for (const key of ['h', 'm']) await page.keyboard.press(key);
  await page.locator('[aria-keyshortcuts=m][aria-pressed=true]').waitFor();
  await page.keyboard.press('m');
  await page.locator('[aria-keyshortcuts=m][aria-pressed=false]').waitFor();
  const button = page.locator('#key-hold');
  if ((await button.isEnabled()) || (await button.getAttribute('aria-pressed')) === 'true') throw new Error('H held the call');
}
// Somebody is found, and brought in: by keys, and by being dropped on the call.
async function byKeys(page) {
  await page.keyboard.press('b');
  await page.keyboard.type('lopes');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await offered(page);
}
// A phone has no room for both; there it is a key beside each person.
async function byMouse(page) {
  if (page.viewportSize().width < 800) return;
  await page.locator('.dir-main', { hasText: 'Clara Lopes' }).dragTo(page.locator('.console-call'));
  await offered(page);
}
async function offered(page) {
  const whom = page.getByRole('dialog').getByLabel('Whom?');
  await whom.waitFor();
  if (!(await whom.evaluate((e) => e.selectedOptions[0].text)).startsWith('Clara Lopes')) throw new Error('another person is offered');
}
// A takes who waits longest, R what was recalled; P says why a call is parked.
async function queueByKeys(page) {
  await page.keyboard.press('r');
  await page.locator('.console-call .call-head', { hasText: 'Lindqvist' }).waitFor();
  await page.keyboard.press('p');
  await page.keyboard.type('Back in a minute');
  await page.keyboard.press('Enter');
  await page.locator('.queued', { hasText: 'Back in a minute' }).waitFor();
}
const LINK = '#enroll=ZmlYdHVyZQ&name=President%20Duarte';

// name, scene, steps, fragment
const SCREENS = [
  ['loading', 'loading'], ['elsewhere', 'elsewhere'], ['broken', 'broken'],
  ['first-no-link', 'empty'],
  ['first-use', 'empty', [type('Choose a passphrase', 'river stone candle north'), type('The same once more', 'river stone candle north')], LINK],
  ['first-unusable', 'unusable', [], LINK],
  ['locked', 'locked'], ['locked-passkey', 'passkey'],
  ['locked-wrong', 'locked', [type('Passphrase', 'wrong'), press('Unlock'), (page) => page.getByRole('alert').waitFor()]],
  ['contacts', 'contacts'], ['contacts-none', 'nobody'], ['trouble', 'trouble'],
  ['contact', 'contacts', [open('Élodie')]], ['contact-unverified', 'contacts', [open('Lindqvist')]],
  ['contact-staff', 'staffed', [open('Okafor')]], ['contact-for', 'staffed', [open('Élodie')]],
  ['contact-rules', 'ruled', [open('Élodie'), (page) => page.locator('#rules-title').evaluate((of) => of.scrollIntoView())]], ['contact-manage', 'managing', [open('Okafor'), (page) => page.locator('#manage-title').evaluate((of) => of.scrollIntoView())]],
  ['contact-may', 'contacts', [open('Élodie'), (page) => page.locator('#staff-title').evaluate((of) => of.scrollIntoView())]],
  ['incoming-screened', 'screened'], ['contact-refused', 'contacts', [open('Rossi')]], ['contact-alarm', 'contacts', [open('Novak')]],
  ['revoke', 'contacts', [open('Élodie'), press('Revoke')]],
  ['verify', 'contacts', [open('Lindqvist'), press('Verify')]],
  ['verify-same', 'contacts', [open('Lindqvist'), press('Verify'), press('copper lantern orchid'), outcome]],
  ['verify-none', 'contacts', [open('Lindqvist'), press('Verify'), press('None matches'), outcome]],
  ['texts', 'contacts', [open('Élodie'), press('Texts')]],
  ['cards', 'contacts', [press('Cards')]],
  ['give', 'contacts', [press('Give a card'), type('For whom? Only you see this.', 'President Aydin')]],
  ['card', 'contacts', [press('Give a card'), type('For whom? Only you see this.', 'President Aydin'), press('Make the card')]],
  ['further', 'contacts', [press('Cards'), press('A further handset of mine')]],
  ['take', 'contacts', [press('Take a card')]],
  ['calling', 'calling'], ['reached', 'reached'], ['ringing', 'ringing'], ['connecting', 'connecting'],
  ['incoming', 'incoming'], ['incoming-second', 'second'], ['incoming-urgent', 'urgent'], ['preempted', 'preempted'],
  ['connected', 'connected'], ['connected-unverified', 'unverified'],
  ['statistics', 'connected', [(page) => page.getByText('Statistics').click()]],
  ['sound', 'connected', [press('Sound')]],
  ['held-by-me', 'heldme'], ['held-by-other', 'heldother'], ['two-calls', 'two'], ['reconnecting', 'reconnecting'],
  ['moving', 'moving'], ['offered', 'offered'],
  ['asked', 'asked'], ['arranging', 'arranging'],
  ['bring', 'arranging', [press('Bring somebody in'), (page) => page.getByRole('dialog').getByLabel('As what?').selectOption('Principal')]],
  ['arranging-both', 'both'], ['announcing', 'announcing'], ['held', 'held', [heldByKeys]], ['handing', 'handing'], ['confirming', 'confirming'],
  ['arranged', 'arranged'], ['forged', 'forged', [(page) => page.locator('.notice').getByText('This voice is forged').waitFor()]],
  ['left', 'left', [(page) => page.getByText('It goes on without you').waitFor()]],
  ['left-early', 'early', [(page) => page.getByText('You left before the others were connected').waitFor()]],
  ['ended', 'ended', [(page) => page.getByText('Call again').waitFor()]],
  ['ended-by-rule', 'barred', [(page) => page.getByText('Call again').waitFor()]],
  ['call-behind', 'connected', [tab(1)]],
  ['history', 'contacts', [tab(1)]],
  ['settings', 'contacts', [tab(3)]],
  ['console', 'console'], ['console-two', 'consoletwo', [(page) => page.locator('.directory .contact', { hasText: 'Rui Alves' }).hover()]],
  ['console-idle', 'consoleidle'], ['console-night', 'night'], ['night-there', 'nightthere'],
  ['console-bring', 'consoletwo', [byKeys]], ['console-drag', 'consoletwo', [byMouse]],
  ['console-appointment', 'consoleidle', [press('New appointment')]],
  ['console-shift', 'shift'],
  ['console-queue', 'console', [queueByKeys]],
  ['wipe', 'contacts', [press('Settings'), press('Sign out and wipe')]],
];
const LOOKS = [
  { name: 'phone-light', viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  { name: 'phone-dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  { name: 'desktop-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'desktop-dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
];
const RTL = new Set(['contacts', 'connected', 'incoming', 'settings', 'held', 'console']);

const server = await serve({
  folders: [options.module, join(here, '../static'), join(here, '../dist')].filter((f) => f && existsSync(f)),
  worker: join(here, 'fixtures/worker.js'),
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
await mkdir(options.out, { recursive: true });
let bad = 0;
const complain = (words) => { bad += 1; console.error(words); };

async function look(screen, { name: looks, ...context }, lang) {
  const [name, scene, steps = [], fragment = ''] = screen;
  const shot = `${name}.${looks}${lang ? `.${lang}` : ''}`;
  const in_context = await browser.newContext({
    ...context, reducedMotion: 'reduce', permissions: ['microphone', 'camera'], bypassCSP: false, locale: lang ?? 'en-GB',
  });
  const page = await in_context.newPage();
  page.setDefaultTimeout(5000);
  page.on('pageerror', (error) => complain(`${shot}: ${error.message}`));
  page.on('console', (said) => {
    if (said.type() === 'error' && !said.location().url.endsWith('worklet.js')) complain(`${shot}: ${said.text()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(server.at) && !url.startsWith('blob:') && !url.startsWith('data:')) complain(`${shot}: asked ${url}`);
  });
  server.show(scene);
  await page.goto(server.at + fragment);
  await page.locator(scene === 'loading' ? '.gate:visible' : 'h1:visible, .list:visible').first().waitFor();
  if (page.url() !== server.at) complain(`${shot}: the fragment stays in the address: ${page.url()}`);
  if (name !== 'broken' && (await page.getByText('has to be loaded again').count())) complain(`${shot}: the page broke`);
  for (const step of steps) await step(page).catch((error) => complain(`${shot}: ${error.message.split('\n')[0]}`));
  await page.waitForFunction(() => document.fonts.status === 'loaded');
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(options.out, `${shot}.png`) });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) complain(`${shot}: ${wide} pixels wider than the window`);
  for (const violation of await serious(page)) complain(`${shot}: ${violation}`);
  await in_context.close();
}

for (const screen of SCREENS.filter(([name]) => !options.only || options.only.split(',').includes(name))) {
  for (const looks of LOOKS.filter(({ name }) => !options.looks || options.looks.split(',').includes(name))) await look(screen, looks);
  if (RTL.has(screen[0])) {
    await look(screen, LOOKS[0], 'ar');
    await look(screen, LOOKS[2], 'ar');
  }
}
await browser.close();
server.close();
console.log(bad ? `${bad} complaints` : 'all screens are as they should be');
process.exit(bad ? 1 : 0);
