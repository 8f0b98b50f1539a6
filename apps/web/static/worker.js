// The worker's first file: keeps what the page says until the module is there.
import init, { run } from './handset.js';

const early = [];
self.onmessage = (event) => early.push(event);
await init();
run();
for (const event of early) self.onmessage(event);
