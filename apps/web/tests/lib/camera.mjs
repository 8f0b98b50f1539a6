// What a camera sees: a QR code, as a film that Chromium plays instead of a camera (YUV4MPEG2, one grey picture).

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [WIDE, HIGH] = [1280, 720];

/** The path of a film of the code that this page shows. */
export async function filmOf(page, name) {
  const code = page.getByRole('img', { name });
  const side = Number((await code.getAttribute('viewBox')).split(' ')[2]);
  const dark = await code.locator('path').getAttribute('d');
  const scale = Math.floor(HIGH / side);
  const [left, top] = [Math.floor((WIDE - side * scale) / 2), Math.floor((HIGH - side * scale) / 2)];
  // White and black as video has them, on a grey desk.
  const grey = Buffer.alloc(WIDE * HIGH, 140);
  const fill = (x, y, modules, light) => {
    for (let row = top + y * scale; row < top + (y + 1) * scale; row += 1) {
      const from = row * WIDE + left + x * scale;
      grey.fill(light, from, from + modules * scale);
    }
  };
  for (let y = 0; y < side; y += 1) fill(0, y, side, 235);
  for (const [, x, y, run] of dark.matchAll(/M(\d+) (\d+)h(\d+)/g)) fill(Number(x), Number(y), Number(run), 16);
  const path = join(mkdtempSync(join(tmpdir(), 'hotline-camera-')), 'code.y4m');
  const colour = Buffer.alloc((WIDE * HIGH) / 2, 128);
  writeFileSync(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDE} H${HIGH} F5:1 Ip A1:1 C420mpeg2\nFRAME\n`), grey, colour]));
  return path;
}
