// `node pack.mjs FROM TO`: what was built, for a server that compresses nothing (functions/spin/src/assets.rs). TO is then a copy of FROM, with
// what brotli and gzip make of each text beside it: `x.js.br`, `x.js.gz`. What does not get smaller by it has neither.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

const [, , from, to] = process.argv;
const TEXT = /\.(?:css|html|js|json|svg|webmanifest)$/u;
const PACKERS = [[".br", promisify(brotliCompress)], [".gz", (text) => promisify(gzip)(text, { level: 9 })]];

rmSync(to, { recursive: true, force: true });
const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
await Promise.all(
  files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    const copy = join(to, relative(from, file));
    const contents = readFileSync(file);
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, contents);
    if (!TEXT.test(name)) return;
    for (const [end, pack] of PACKERS) {
      const packed = await pack(contents);
      if (packed.length < contents.length) writeFileSync(copy + end, packed);
    }
  }),
);
