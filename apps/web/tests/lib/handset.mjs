// A person at a web handset: a real Chromium with a microphone that plays a recording, driven as people drive it.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { tapAudio } from './sound.mjs';

const speech = (name) => fileURLToPath(new URL(`../../../hotline/assets/speech/${name}.wav`, import.meta.url));
export const PASSPHRASE = 'correct horse battery staple';

const chromiumOf = (voice, film) => ({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  ignoreDefaultArgs: ['--mute-audio'],
  args: [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required', `--use-file-for-fake-audio-capture=${speech(voice)}`,
    '--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection',
    ...(film ? [`--use-file-for-fake-video-capture=${film}`] : []),
  ],
});
const PERSON = { permissions: ['microphone'], viewport: { width: 1100, height: 820 } };

/** A browser with a profile of its own. `voice`: caller or callee; `film`: what its camera sees. */
async function browser(voice, film) {
  const profile = mkdtempSync(join(tmpdir(), 'hotline-browser-'));
  const context = await chromium.launchPersistentContext(profile, { ...chromiumOf(voice, film), ...PERSON });
  // The browser may still write while it ends; what cannot be removed then is the system's to clean.
  context.on('close', () => rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => {}));
  return context;
}

/** A browser for several people, who have nothing in common but the program and what their microphones play. */
export const shared = (voice) => chromium.launch(chromiumOf(voice));

/** One person. */
export class Handset {
  /** Every address that any of this person's pages asked for. */
  requests = [];
  errors = [];

  /** `where`: a voice, for a browser of one's own, or a browser that is shared. */
  static async open(link, where, { lock = 'Keep nothing', film } = {}) {
    const handset = new Handset();
    handset.context = typeof where === 'string' ? await browser(where, film) : await where.newContext(PERSON);
    handset.context.setDefaultTimeout(60_000);
    await handset.context.addInitScript(tapAudio);
    handset.context.on('request', (request) => handset.requests.push(request.url()));
    await handset.load(link);
    if (lock) await handset.enrol(lock);
    return handset;
  }

  async load(link) {
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    this.page.on('pageerror', (error) => this.errors.push(String(error)));
    await this.page.goto(link);
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async press(name) {
    await this.button(name).first().click();
  }

  /** First use: the choice of how keys are kept, and then the contacts. */
  async enrol(lock) {
    await this.page.getByText(lock, { exact: true }).click();
    if (lock === 'Passphrase') {
      await this.page.getByLabel('Choose a passphrase').fill(PASSPHRASE);
      await this.page.getByLabel('The same once more').fill(PASSPHRASE);
    }
    await this.press('Start');
    await this.lineUp();
  }

  async lineUp() {
    await this.page.getByText('Line up', { exact: true }).first().waitFor();
  }

  /** Makes a card for somebody; its link, as the person would copy it. */
  async giveCard(hint, way = 'Handed over in person') {
    await this.press('Contacts');
    await this.press('Give a card');
    await this.page.getByLabel(/For whom/).fill(hint);
    await this.page.getByText(way, { exact: true }).click();
    await this.press('Make the card');
    await this.page.getByRole('img', { name: 'QR code of the card' }).waitFor();
    await this.page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => void (window.__copied = text);
    });
    await this.press('Copy link');
    return this.page.evaluate(() => window.__copied);
  }

  async takeCard(link, way = 'Yes, in person') {
    await this.press('Contacts');
    await this.press('Take a card');
    await this.page.getByRole('textbox', { name: 'Card' }).fill(link);
    await this.page.getByText(way, { exact: true }).click();
    await this.press('Use this card');
  }

  /** The own words, on the screen for comparing them. */
  async words() {
    return (await this.page.locator('.big-words').innerText()).trim();
  }

  /** Until the call shows this word. */
  async sees(word) {
    await this.page.locator('.call-state').getByText(word, { exact: true }).waitFor();
  }

  async close() {
    await this.context.close();
  }
}
