// wasi-run.mjs MODULE.wasm ARGUMENT...: runs a test program compiled to WebAssembly (wasm32-wasip1), as cargo's runner.
//
//   cargo test ─► node wasi-run.mjs wire-….wasm --quiet ─► libtest, unchanged
//
// It sees the repository, so that docs/vectors/ is the same for both builds, and no environment, so that no variable makes
// a test write there.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [file, ...args], preopens: { [root]: root }, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(file));
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);
