// What axe-core finds on a page. Injected as the debugger does it, past the policy; the page itself cannot.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Serious and critical violations, each in a line. */
export async function serious(page) {
  await page.evaluate(await readFile(axe, 'utf8'));
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  const bad = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  return bad.map((v) => `axe ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 120)).slice(0, 3).join(' | ')}`);
}
