// The tests of the web handset in a real browser: `node run.mjs [NAME...]` runs those whose file names contain a NAME.
//
// One file after the other: each has offices and browsers of its own, and sound needs the processor.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs') && (!wanted.length || wanted.some((part) => name.includes(part))))
  .sort()
  .map((name) => join(folder, name));
if (!files.length) throw new Error(`no test file has ${wanted.join(' or ')} in its name`);

run({ files, concurrency: 1, timeout: 600_000 })
  .on('test:fail', () => (process.exitCode = 1))
  .compose(spec)
  .pipe(process.stdout);
