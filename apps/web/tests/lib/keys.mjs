// A person without a mouse.

import assert from 'node:assert/strict';

/** Presses Tab until the focus is on what has this name. */
export async function tabTo({ page }, name) {
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

/** Presses these keys one after the other. */
export async function type({ page }, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}
