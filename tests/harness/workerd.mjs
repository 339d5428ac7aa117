#!/usr/bin/env node
// Runs the BUILT worker and its actors (`cargo xtask build`) in workerd, with every binding, on one loopback port.
//
// The port is workerd's own: no proxy worker is in the path, inbound or outbound, so what is measured is the worker.
// Storage lies in `persist`, so a run that was killed goes on where it was.
//
//   node tests/harness/workerd.mjs '{"port":8787,"persist":"/tmp/vc","vars":{"JOURNAL":"on"}}'
//   node tests/harness/workerd.mjs options.json
//
// The one argument is JSON, or the path of a file with JSON (secrets in arguments are visible to `ps`):
//   port       port on 127.0.0.1 (0: a free one)                                  default 0
//   persist    directory for D1, KV, R2 and Durable Objects; made if missing      default: in memory
//   build      directory with index.js and, where there is one, index_bg.wasm
//                                                            default functions/cloudflare/build
//   actors     the same of the script that has the actors' classes, or false: there are none
//                                                            default "actors/<its name>" beside the other
//   migrations directory with NNNN_*.sql, applied to D1 once each, in order       default migrations
//   vars       configuration and secrets by name, as strings                      default {}
//              RATE_LIMIT_PER_MIN is the quota of the bindings that count, too    default 1000000
//   postgres   address (with a password) that the binding HYPERDRIVE leads to, for a
//              worker built with PostgreSQL; the schema must be there            default: not bound
//   restart    start workerd again, same port and storage, when it dies           default false
//   inspector  port of the V8 inspector, for profiles                             default: none
//   faults     the actors' script takes the commands of faults.mjs                 default false
//
// Standard output is one JSON object per line:
//   {"ready":true,"url":"http://127.0.0.1:8787","pid":123,"harness_pid":122}      after each (re)start
//   {"exited":true,"pid":123,"code":null,"signal":"SIGKILL"}                      workerd died
//   {"done":"scheduled","outcome":"ok"}                                           answer to a command
//   {"failed":"sql","error":"…"}                                                  the command failed
//   {"error":"…"}                                                                 then exit code 1
// What the worker logs goes to standard error.
//
// Standard input, a command each line, answered in order:
//   scheduled                                     runs the cron handler
//   {"fault":"trap"}                              the actors' wasm instance dies when it next looks at the clock
//   {"fault":"late","argument":…}                 the actors' clock goes so many milliseconds behind
//   {"fault":"hang","argument":"on"}              actors do not answer commands any more; "off": they do
//   {"sql":"…","args":[…]}                        runs a statement on D1: {"done":"sql","rows":[…]}; how tests put in a set-up
//                                                 token or raise a limit
//   {"job":"…"}                                   puts a text into the queue
//   {"object":"HUB_ACTOR","name":"…","command":…} sends a command to an actor, as other actors do:
//                                                 {"done":"command","reply":…}
// When it closes, or on SIGTERM or SIGINT, workerd is killed and the harness exits with 0. When workerd dies by itself and
// `restart` is off, it exits with 3.
//
// Not as in production: the queue is held in memory, so jobs that wait are lost when workerd is killed.

import childProcess from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const HARNESS = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HARNESS, "../..");
/** The scripts' names in wrangler.toml. */
const FRONT = "voicecore", ACTORS = "voicecore-actors";
const COMPATIBILITY_DATE = /^compatibility_date\s*=\s*"([^"]+)"/m
  .exec(readFileSync(path.join(ROOT, "wrangler.toml"), "utf8"))[1];

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

/** Splits a migration into statements, minding strings, comments and the body of a trigger. */
export function statements(sql) {
  const found = [];
  let text = "", depth = 0;
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\b(?:begin|case|end)\b|;|[^'"\-/;bceBCE]+|[\s\S]/gi;
  for (const [part] of sql.matchAll(token)) {
    if (part.startsWith("--") || part.startsWith("/*")) continue;
    if (/^(begin|case)$/i.test(part)) depth += 1;
    if (/^end$/i.test(part)) depth -= 1;
    if (part === ";" && depth === 0) {
      if (text.trim()) found.push(text.trim());
      text = "";
    } else text += part;
  }
  if (text.trim()) found.push(text.trim());
  return found;
}

/** Applies what is new, each file in one batch with its entry in wrangler's own table. */
async function migrate(db, directory) {
  await db.prepare("create table if not exists d1_migrations(id integer primary key autoincrement, name text unique, " +
    "applied_at timestamp default current_timestamp not null)").run();
  const applied = new Set((await db.prepare("select name from d1_migrations").all()).results.map((row) => row.name));
  const files = readdirSync(directory).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort();
  for (const name of files.filter((name) => !applied.has(name))) {
    const parts = statements(readFileSync(path.join(directory, name), "utf8")).map((sql) => db.prepare(sql));
    await db.batch([...parts, db.prepare("insert into d1_migrations(name) values (?1)").bind(name)]);
  }
}

/** The modules of a built script; the first one is the main module. */
function modules(build, faults) {
  const module = (file, directory = build) => ({
    type: file.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
    path: path.join(build, file),
    contents: readFileSync(path.join(directory, file)),
  });
  const wasm = existsSync(path.join(build, "index_bg.wasm")) ? [module("index_bg.wasm")] : [];
  const harness = faults ? ["faulty.mjs", "faults.mjs"].map((file) => module(file, HARNESS)) : [];
  return { modulesRoot: build, modules: [...harness, module("index.js"), ...wasm] };
}

function miniflareOptions(given, port) {
  const build = path.resolve(ROOT, given.build ?? "functions/cloudflare/build");
  const actors = given.actors === false
    ? undefined
    : path.resolve(ROOT, given.actors ?? path.join(build, "../actors", path.basename(build)));
  const persist = (kind) => (given.persist ? path.join(path.resolve(given.persist), kind) : false);
  const perMinute = Number(given.vars?.RATE_LIMIT_PER_MIN ?? 1_000_000);
  const limit = (times) => ({ simple: { limit: perMinute * times, period: 60 } });
  const object = (className) => ({ className, scriptName: ACTORS, useSQLite: true });
  const bindings = {
    compatibilityDate: COMPATIBILITY_DATE,
    // Without this every outbound request passes through one more worker.
    stripCfConnectingIp: false,
    bindings: given.vars ?? {},
    d1Databases: { DB: "voicecore" },
    ...(given.postgres && { hyperdrives: { HYPERDRIVE: given.postgres } }),
    kvNamespaces: { CACHE: "voicecore-cache" },
    r2Buckets: { BLOBS: "voicecore-blobs" },
    queueProducers: { JOBS: "voicecore-jobs" },
    durableObjects: actors ? { CALL_ACTOR: object("CallActor"), HUB_ACTOR: object("HubActor") } : {},
  };
  const front = {
    ...bindings,
    ...modules(build, false),
    name: FRONT,
    unsafeDirectSockets: [{ host: "127.0.0.1", port, proxy: false }],
    ratelimits: { API_LIMIT: limit(1), TENANT_LIMIT: limit(10), CLIENT_LIMIT: limit(1) },
    queueConsumers: {
      "voicecore-jobs": {
        maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 10, deadLetterQueue: "voicecore-jobs-dead",
      },
    },
  };
  return {
    // The socket above is the worker's own. This one leads to Miniflare's entry worker: only the harness uses it.
    host: "127.0.0.1",
    port: 0,
    cf: false,
    inspectorPort: given.inspector,
    handleRuntimeStdio: (out, err) => { out.pipe(process.stderr); err.pipe(process.stderr); },
    d1Persist: persist("d1"),
    kvPersist: persist("kv"),
    r2Persist: persist("r2"),
    durableObjectsPersist: persist("do"),
    workers: actors ? [front, { ...bindings, ...modules(actors, given.faults), name: ACTORS }] : [front],
  };
}

/** Miniflare does not tell workerd's process; it starts it through this module, so that is where it is seen. */
function watchWorkerd(onStart) {
  const spawn = childProcess.spawn;
  childProcess.spawn = (command, args, ...rest) => {
    const child = spawn(command, args, ...rest);
    if (args?.[0] === "serve") onStart(child);
    return child;
  };
}

/** Carries out a line of standard input; what it returns is the answer. */
async function command(mf, line) {
  if (!line.startsWith("{")) {
    if (line !== "scheduled") throw new Error("no such command");
    const worker = await mf.getWorker(FRONT);
    const { outcome } = await worker.scheduled({ cron: "* * * * *" });
    return { done: line, outcome };
  }
  const { sql, args = [], job, object, name, command, fault, argument = "" } = JSON.parse(line);
  if (fault) {
    const worker = await mf.getWorker(ACTORS);
    const response = await worker.fetch(`http://worker/harness/${fault}/${argument}`);
    if ((await response.text()) !== "done") throw new Error("no such fault, or started without the option `faults`");
    return { done: "fault" };
  }
  if (sql) {
    const db = await mf.getD1Database("DB", FRONT);
    const { results } = await db.prepare(sql).bind(...args).all();
    return { done: "sql", rows: results };
  }
  if (job) {
    const queue = await mf.getQueueProducer("JOBS", FRONT);
    await queue.send(job, { contentType: "text" });
    return { done: "job" };
  }
  const actors = await mf.getDurableObjectNamespace(object, FRONT);
  const response = await actors.get(actors.idFromName(name)).fetch("https://actor/command", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(command),
  });
  if (!response.ok) throw new Error(`the actor answered ${response.status}`);
  return { done: "command", reply: await response.json() };
}

async function main() {
  const argument = process.argv[2] ?? "{}";
  const given = JSON.parse(argument.trimStart().startsWith("{") ? argument : readFileSync(argument, "utf8"));
  if (given.persist) mkdirSync(given.persist, { recursive: true });

  let workerd, stopping = false, mf;
  const started = new Set();
  // Nothing that was started outlives the harness, whichever way it ends.
  const killAll = () => started.forEach((child) => child.kill("SIGKILL"));
  process.on("exit", killAll);
  const stop = async (code) => {
    if (stopping) return;
    stopping = true;
    killAll();
    await Promise.race([mf?.dispose(), new Promise((done) => setTimeout(done, 2000))]).catch(() => {});
    process.exit(code);
  };
  const start = async () => {
    const url = await mf.unsafeGetDirectURL(FRONT);
    await migrate(await mf.getD1Database("DB", FRONT), path.resolve(ROOT, given.migrations ?? "migrations"));
    say({ ready: true, url: url.origin, pid: workerd.pid, harness_pid: process.pid });
    return Number(url.port);
  };

  process.on("SIGTERM", () => stop(0));
  process.on("SIGINT", () => stop(0));
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("close", () => stop(0));
  let earlier = Promise.resolve();
  lines.on("line", (line) => {
    earlier = earlier.then(() => command(mf, line.trim())).then(say, (error) => say({ failed: line, error: String(error) }));
  });

  let port = given.port ?? 0;
  watchWorkerd((child) => {
    workerd = child;
    started.add(child);
    child.once("exit", async (code, signal) => {
      started.delete(child);
      if (stopping || workerd !== child) return;
      say({ exited: true, pid: child.pid, code, signal });
      if (!given.restart) return stop(3);
      await mf.setOptions(miniflareOptions(given, port));
      await start();
    });
  });
  const { Miniflare } = await import("miniflare");
  mf = new Miniflare(miniflareOptions(given, port));
  port = await start().catch(async (error) => {
    // Seen once in hundreds of starts: an assertion of the tools between us and workerd, which had started. Whatever the worker does
    // wrong comes as another error.
    if (error?.code !== "ERR_ASSERTION") throw error;
    process.stderr.write(`starting once more: ${error.stack}\n`);
    // The first one, whose end is no death of workerd, remembers for ever that it did not start.
    workerd = undefined;
    await mf.dispose().catch(() => {});
    mf = new Miniflare(miniflareOptions(given, port));
    return start();
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fail = (error) => {
    process.stderr.write(`${error?.stack ?? error}\n`);
    say({ error: String(error?.message ?? error) });
    process.exit(1);
  };
  process.on("unhandledRejection", fail);
  await main().catch(fail);
}
