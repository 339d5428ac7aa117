// Every judge, and whether the judges can refuse. Ends with 1 when anything was refused, or should have been.
//
//   node tests/oracles/run.mjs [--seed N]

import { DEFAULT_SEED } from "./cases.mjs";
import { fixtures, judgeEvents } from "./openai.mjs";
import { Report } from "./report.mjs";
import { selfTest } from "./selftest.mjs";
import { judgeManifest } from "./spinapp.mjs";
import { askWire, judgeWire } from "./twilio.mjs";

const argv = process.argv.slice(2);
const seed = argv[0] === "--seed" ? Number(argv[1]) : DEFAULT_SEED;
if (!Number.isInteger(seed) || (argv.length && argv[0] !== "--seed")) throw new Error("usage: run.mjs [--seed N]");

const wire = askWire(seed);
const reports = [new Report("judges"), new Report(`twilio (seed ${seed})`), new Report("openai"), new Report("SpinApp")];
const [judges, twilio, openai, spinApp] = reports;
await selfTest(judges, wire);
await judgeWire(twilio, wire);
const events = fixtures();
judgeEvents(openai, events);
for (const side of ["client", "server"]) {
  if (!events.some((event) => event.side === side)) openai.refuse(`there are no ${side} fixtures to judge`);
}
judgeManifest(judges, spinApp);
process.exitCode = reports.map((report) => report.print()).every(Boolean) ? 0 : 1;
