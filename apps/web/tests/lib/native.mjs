// A native handset without a screen, as a process: commands on its input, one JSON object a line on its output.

import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PASSPHRASE } from './handset.mjs';

export class Native {
  seen = [];
  waiting = [];

  static async start(link, name, voice) {
    const native = new Native();
    const dir = mkdtempSync(join(tmpdir(), 'hotline-native-'));
    writeFileSync(join(dir, 'passphrase'), PASSPHRASE);
    const speech = fileURLToPath(new URL(`../../../hotline/assets/speech/${voice}.wav`, import.meta.url));
    native.process = spawn(
      process.env.HOTLINE ?? 'hotline',
      ['phone', '--headless', '--dir', dir, '--passphrase-file', join(dir, 'passphrase'), '--enroll', link, '--name', name, '--in', speech, '--repeat'],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    createInterface({ input: native.process.stdout }).on('line', (line) => {
      native.seen.push(JSON.parse(line));
      native.waiting.splice(0).forEach((again) => again());
    });
    await native.until((said) => said.event === 'line-up');
    return native;
  }

  say(command) {
    this.process.stdin.write(`${command}\n`);
  }

  /** The first thing said, from now on or before, that `is` picks; each is picked once. */
  async until(is) {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const at = this.seen.findIndex(is);
      if (at >= 0) return this.seen.splice(at, 1)[0];
      if (Date.now() > deadline) throw new Error(`the native handset said only ${JSON.stringify(this.seen)}`);
      await Promise.race([new Promise((again) => this.waiting.push(again)), new Promise((again) => setTimeout(again, 1_000))]);
    }
  }

  async stop() {
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }
}
