// What stands between browsers and an exchange's line door, on a thread of its own: whatever the tests compute meanwhile must not
// delay a cell.
//
//   browser ◄─ UDP ─► tap (notes, loses) ◄─ UDP ─► exchange

import dgram from 'node:dgram';
import { once } from 'node:events';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

/** What is lost: nothing, everything, or of what comes down one cell in six, four after each other. */
const LOSES = {
  nothing: () => () => false,
  everything: () => () => true,
  bursts: () => {
    let left = 0;
    return (up, bytes) => {
      if (up || bytes.length < 200) return false;
      if (left > 0) return (left -= 1) >= 0;
      if (Math.random() < 0.05) left = 4;
      return false;
    };
  },
};

/** The tap, as the tests hold it. */
export class Tap {
  async start(exchange) {
    this.thread = new Worker(new URL(import.meta.url), { workerData: { exchange } });
    this.port = (await once(this.thread, 'message'))[0];
  }

  /** `nothing`, `everything` or `bursts`, from now on. */
  lose(what) {
    this.thread.postMessage({ lose: what });
  }

  /** Watches for `ms`; what passed, as {at: ms, up: boolean, size: bytes}. */
  async watch(ms) {
    this.thread.postMessage({ watch: ms });
    return (await once(this.thread, 'message'))[0];
  }

  stop() {
    return this.thread.terminate();
  }
}

async function run({ exchange }) {
  let lost = LOSES.nothing();
  let seen;
  const pass = (up, bytes) => {
    seen?.push({ at: performance.now(), up, size: bytes.length });
    return !lost(up, bytes);
  };
  const flows = new Map();
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (bytes, from) => {
    const key = `${from.address}:${from.port}`;
    let flow = flows.get(key);
    if (!flow) {
      flow = dgram.createSocket('udp4');
      flow.on('message', (down) => {
        if (pass(false, down)) socket.send(down, from.port, from.address);
      });
      // An exchange that was killed refuses datagrams until it runs again.
      flow.on('error', () => {});
      flows.set(key, flow);
    }
    if (pass(true, bytes)) flow.send(bytes, exchange, '127.0.0.1');
  });
  parentPort.on('message', (asked) => {
    if (asked.lose) lost = LOSES[asked.lose]();
    if (asked.watch) {
      seen = [];
      setTimeout(() => {
        parentPort.postMessage(seen);
        seen = undefined;
      }, asked.watch);
    }
  });
  parentPort.postMessage(socket.address().port);
}

if (!isMainThread && workerData?.exchange) await run(workerData);
