// Puts statements and objects into what `wrangler dev` keeps on this machine, while it runs: `wrangler` itself takes a second for each object.
//
//   node store.mjs <wrangler.toml> <storage> < {"statements": ["…"], "objects": {"key": "text"}}

import { text } from "node:stream/consumers";
import { getPlatformProxy } from "wrangler";

const [configPath, path] = process.argv.slice(2);
const [{ env, dispose }, input] = await Promise.all([getPlatformProxy({ configPath, persist: { path } }), text(process.stdin)]);
const { statements, objects } = JSON.parse(input);
await env.DB.batch(statements.map((sql) => env.DB.prepare(sql)));
await Promise.all(Object.entries(objects).map(([key, value]) => env.BLOBS.put(key, value)));
await dispose();
