// A small server for looking at screens: the page's own files, and the stand-in worker of one scene. Any free port.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join, normalize, extname } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.png': 'image/png', '.webmanifest': 'application/manifest+json',
};
// As the exchange's own (apps/hotline/src/web/door.rs): what it refuses has to be refused here, too.
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export async function serve({ folders, worker }) {
  const state = { scene: 'contacts' };
  const find = async (name) => {
    for (const folder of folders) {
      const found = await readFile(join(folder, name)).catch(() => null);
      if (found) return found;
    }
    return null;
  };
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname).slice(1) || 'index.html';
    let body = await find(path);
    if (path === 'worker.js') body = `const SCENE = ${JSON.stringify(state.scene)};\n${await readFile(worker, 'utf8')}`;
    response.writeHead(body ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    at: `http://localhost:${server.address().port}/`,
    show: (scene) => { state.scene = scene; },
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
