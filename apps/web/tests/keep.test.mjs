// What is kept: passphrase, passkey, reload in a call, an exchange that is killed in a call.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Handset, PASSPHRASE } from './lib/handset.mjs';
import { Office } from './lib/office.mjs';

let ministry, anna, boris;

before(async () => {
  ministry = await Office.start('Ministry');
  anna = await Handset.open(ministry.enroll('Anna'), 'caller', { lock: 'Passphrase' });
  boris = await Handset.open(ministry.enroll('Boris'), 'callee');
  await boris.takeCard(await anna.giveCard('Boris'));
  await anna.press('Contacts');
  await anna.page.getByRole('button', { name: 'Call Boris' }).waitFor();
});

after(async () => {
  for (const one of [anna, boris]) await one?.close();
  await ministry?.stop();
});

const unlock = async (secret) => {
  await anna.page.getByLabel('Passphrase').fill(secret);
  await anna.press('Unlock');
};

test('a wrong passphrase opens nothing, and the right one everything', async () => {
  await anna.load(ministry.web);
  await unlock(`${PASSPHRASE}!`);
  await anna.page.getByText(/does not open this handset/).waitFor();
  await unlock(PASSPHRASE);
  await anna.lineUp();
  await anna.page.getByRole('button', { name: 'Call Boris' }).waitFor();
});

test('what the browser keeps shows no name', async () => {
  const kept = await anna.page.evaluate(async () => {
    const db = await new Promise((done) => (indexedDB.open('hotline').onsuccess = (e) => done(e.target.result)));
    const all = (name) => new Promise((done) => (db.transaction(name).objectStore(name).getAll().onsuccess = (e) => done(e.target.result)));
    const rows = await all('rows');
    db.close();
    return rows.map((row) => Array.from(row));
  });
  assert.ok(kept.length > 2);
  for (const row of kept) {
    const text = Buffer.from(row).toString('latin1');
    for (const name of ['Anna', 'Boris', 'Ministry']) assert.ok(!text.includes(name), name);
  }
});

test('a second window says that the first one has the handset', async () => {
  const second = await anna.context.newPage();
  await second.goto(ministry.web);
  await second.getByText('Hotline is open in another window').waitFor();
  await second.close();
});

test('an exchange that is killed in a call is found again, and the call goes on', async () => {
  await anna.press('Call Boris');
  await boris.page.getByRole('dialog').waitFor();
  await boris.press('Answer');
  await anna.sees('Connected');
  await ministry.kill();
  await anna.sees('Reconnecting');
  await ministry.run();
  await anna.sees('Connected');
  await boris.sees('Connected');
  await boris.press('End');
  await anna.page.getByText('Ended by the other side').first().waitFor();
});

test('a reload in a call loses no contact, and the next call works', async () => {
  await anna.press('Contacts');
  await anna.press('Call Boris');
  await boris.page.getByRole('dialog').waitFor();
  await boris.press('Answer');
  await anna.sees('Connected');
  anna.page.on('dialog', (dialog) => dialog.accept());
  await anna.page.reload();
  await boris.sees('Reconnecting');
  await unlock(PASSPHRASE);
  await anna.lineUp();
  await boris.press('End');
  await boris.press('Contacts');
  await boris.page.getByRole('button', { name: 'Call Anna' }).click();
  await anna.page.getByRole('dialog').waitFor();
  await anna.press('Answer');
  await boris.sees('Connected');
  await boris.press('End');
});

test('a passkey opens the handset', async () => {
  const clara = await Handset.open('about:blank', 'caller', { lock: null });
  try {
    const cdp = await clara.context.newCDPSession(clara.page);
    await cdp.send('WebAuthn.enable');
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
        automaticPresenceSimulation: true, hasPrf: true,
      },
    });
    await clara.load(ministry.enroll('Clara'));
    await clara.enrol('Passkey');
    await clara.load(ministry.web);
    await clara.press('Unlock with the passkey');
    await clara.lineUp();
  } finally {
    await clara.close();
  }
});
