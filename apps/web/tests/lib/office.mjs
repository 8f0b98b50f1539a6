// An office for the tests: an exchange as a real process, and a tap in front of its line door (tap.mjs).
//
// Ports are the system's choice; the exchange's are kept, so that it can be killed and started again.

import { execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tap } from './tap.mjs';

const HOTLINE = process.env.HOTLINE ?? 'hotline';

async function freeUdp() {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function freeTcp() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** An office: exchange and tap; without one, `tapped: false`, there is less to run. */
export class Office {
  static async start(name, { tapped = true } = {}) {
    const office = new Office();
    office.dir = join(mkdtempSync(join(tmpdir(), 'hotline-e2e-')), 'exchange');
    const [line, trunk, web] = [await freeUdp(), await freeUdp(), await freeTcp()];
    if (tapped) {
      office.tap = new Tap();
      await office.tap.start(line);
    }
    office.web = `http://localhost:${web}`;
    execFileSync(HOTLINE, [
      'exchange', 'init', '--dir', office.dir, '--office', name,
      '--line-listen', `127.0.0.1:${line}`, '--line-host', `127.0.0.1:${office.tap?.port ?? line}`,
      '--trunk-listen', `127.0.0.1:${trunk}`, '--metrics-listen', '127.0.0.1:0',
      '--web-listen', `127.0.0.1:${web}`,
    ]);
    await office.run();
    return office;
  }

  async run() {
    this.process = spawn(HOTLINE, ['exchange', 'run', '--dir', this.dir], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.log = '';
    this.process.stderr.on('data', (text) => (this.log += text));
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        execFileSync(HOTLINE, ['exchange', 'status', '--dir', this.dir], { stdio: 'ignore' });
        return;
      } catch (refused) {
        if (Date.now() > deadline || this.process.exitCode !== null) throw new Error(`the exchange does not run: ${this.log}`);
      }
    }
  }

  /** The enrolment link for a browser. */
  enroll(person) {
    return this.links(person).web;
  }

  links(person) {
    const said = execFileSync(HOTLINE, ['exchange', 'enroll', '--dir', this.dir, person]).toString();
    return { web: said.match(/http\S+/)[0], native: said.match(/hotline:enroll\/[\w-]+/)[0] };
  }

  /** SIGKILL: no chance to write anything. */
  async kill() {
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  async stop() {
    await this.tap?.stop();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'exit');
    }
  }
}
