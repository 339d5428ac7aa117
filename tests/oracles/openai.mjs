// The types of the `openai` package judge every event of the Realtime API that we send, and every one that the simulator
// sends: each must be assignable to the type of its name, and fields that type does not have are refused.
//
//   node tests/oracles/openai.mjs [--client FILE]… [--server FILE]…    recorded traffic: NDJSON, one event a line
//   node tests/oracles/openai.mjs                                      the golden fixtures of shared/wire

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

import { Report } from "./report.mjs";
import { lines } from "./twilio.mjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const FIXTURES = path.join(ROOT, "shared/wire/fixtures/openai");
/** Only in memory; its place decides which `node_modules` is used. */
const SOURCE = path.join(ROOT, "tests/oracles/events.generated.ts");
const UNIONS = { client: "RealtimeClientEvent", server: "RealtimeServerEvent" };

// --- Shapes: traffic repeats itself, types are checked once ------------------------------------------------------

/** Fields of free text or of identifiers: their values say nothing about the shape. */
const FREE = new Set([
  "arguments", "audio", "call_id", "code", "conversation_id", "delta", "event_id", "id", "instructions", "item_id",
  "message", "output", "previous_item_id", "response_id", "text", "transcript",
]);
/** Longer strings are nobody's keyword. */
const LONGEST_WORD = 64;

function shape(value, key = "") {
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shape(item, key))))].sort();
  if (value !== null && typeof value === "object") {
    return Object.keys(value).sort().map((name) => [name, shape(value[name], name)]);
  }
  if (typeof value === "string") return FREE.has(key) || value.length > LONGEST_WORD ? "" : `=${value}`;
  if (typeof value === "number") return Number.isInteger(value) ? 0 : 0.5;
  return value;
}

// --- What types cannot say ---------------------------------------------------------------------------------------

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Times, places and counts are whole numbers (OpenAPI: `integer`); TypeScript knows only `number`. */
const WHOLE = /(_ms|_index|_tokens|_seconds|^limit|^remaining)$/;
const FRACTIONS = new Set(["reset_seconds"]);

function* beyondTypes(event) {
  const walk = function* (value, where, key) {
    if (typeof value === "number" && WHOLE.test(key) && !FRACTIONS.has(key) && !Number.isInteger(value)) {
      yield `${where} must be a whole number, not ${value}`;
    }
    if (value === null || typeof value !== "object") return;
    for (const [name, inner] of Object.entries(value)) {
      yield* walk(inner, Array.isArray(value) ? `${where}[${name}]` : where ? `${where}.${name}` : name, name);
    }
  };
  yield* walk(event, "", "");
  const audio = { "input_audio_buffer.append": "audio", "response.output_audio.delta": "delta" }[event.type];
  if (audio && !BASE64.test(event[audio] ?? "-")) yield `${audio} is not base64`;
}

// --- One program for all events ----------------------------------------------------------------------------------

/** A literal that stands for `value`; long text is cut, since a type cares only whether it is text. */
function literal(value) {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === "string" && inner.length > LONGEST_WORD ? `${inner.slice(0, LONGEST_WORD)}…` : inner,
  );
}

function compile(source) {
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => file === SOURCE || fileExists.call(host, file);
  host.readFile = (file) => (file === SOURCE ? source : readFile.call(host, file));
  host.getSourceFile = (file, ...rest) =>
    file === SOURCE ? ts.createSourceFile(file, source, options.target, true) : getSourceFile.call(host, file, ...rest);
  return ts.createProgram([SOURCE], options, host);
}

/** The path of fields that leads to `node`: `session.audio.input.format`. */
function fieldOf(node) {
  const steps = [];
  for (let at = node; at && !ts.isVariableDeclaration(at); at = at.parent) {
    if (ts.isPropertyAssignment(at)) steps.unshift(`.${at.name.text}`);
    else if (at.parent && ts.isArrayLiteralExpression(at.parent)) steps.unshift(`[${at.parent.elements.indexOf(at)}]`);
  }
  return steps.join("").replace(/^\./, "");
}

function nodeAt(file, position) {
  let found = file;
  const visit = (node) => {
    if (node.getStart(file) <= position && position < node.getEnd()) {
      found = node;
      ts.forEachChild(node, visit);
    }
  };
  ts.forEachChild(file, visit);
  return found;
}

/** Names of the events of one side, as the package declares them. */
function namesOf(checker, file, alias) {
  const declaration = file.statements.find((s) => ts.isTypeAliasDeclaration(s) && s.name.text === alias);
  const type = checker.getTypeAtLocation(declaration.name);
  return new Set((type.isUnion() ? type.types : [type]).map((member) => member.value));
}

/** What is wrong with each of `events`, `[{side: "client" | "server", event}]`: a list of words for every event. */
export function refusalsOf(events) {
  const refusals = events.map(() => []);
  const shapes = new Map();
  events.forEach(({ side, event }, at) => {
    if (event === null || typeof event !== "object" || typeof event.type !== "string") {
      refusals[at].push(`not an event: ${literal(event)}`);
      return;
    }
    refusals[at].push(...beyondTypes(event));
    const key = side + JSON.stringify(shape(event));
    if (!shapes.has(key)) shapes.set(key, at);
  });
  const cases = [...shapes.values()];
  const source = [
    'import type { RealtimeClientEvent, RealtimeServerEvent } from "openai/resources/realtime/realtime";',
    'type ClientNames = RealtimeClientEvent["type"];',
    'type ServerNames = RealtimeServerEvent["type"];',
    // By its name alone an event gets exactly one type: in the union of all, a field of any would pass in every other.
    ...cases.map((at) => {
      const { side, event } = events[at];
      return `const e${at}: Extract<${UNIONS[side]}, { type: ${JSON.stringify(event.type)} }> = ${literal(event)};`;
    }),
  ].join("\n");
  const program = compile(source);
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(SOURCE);
  const names = { client: namesOf(checker, file, "ClientNames"), server: namesOf(checker, file, "ServerNames") };
  if (names.client.size < 10 || names.server.size < 40) throw new Error("the types of the openai package were not found");
  const known = (at) => names[events[at].side].has(events[at].event.type);
  for (const at of cases) if (!known(at)) refusals[at].push(`the package knows no such ${events[at].side} event`);
  for (const diagnostic of program.getSemanticDiagnostics(file)) {
    const node = nodeAt(file, diagnostic.start);
    let declaration = node;
    while (declaration && !ts.isVariableDeclaration(declaration)) declaration = declaration.parent;
    const words = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ").slice(0, 400);
    if (!declaration) throw new Error(`the judge itself does not compile: ${words}`);
    const at = Number(declaration.name.text.slice(1));
    if (known(at)) refusals[at].push(`${fieldOf(node) || "the event"}: ${words}`);
  }
  return { refusals, shapes: cases.length };
}

/** Judges `events`, which also have a `where`; an event that is `odd` must be refused. */
export function judgeEvents(report, events) {
  const { refusals, shapes } = refusalsOf(events);
  events.forEach(({ side, event, where, odd }, at) => {
    report.count(odd ? "odd events" : `${side} events`);
    if (odd && refusals[at].length === 0) report.refuse(`${where}: ${event.type} is not odd: the package knows it`);
    if (!odd) for (const words of refusals[at]) report.refuse(`${where}: ${event?.type}: ${words}`);
  });
  report.count("shapes", shapes);
}

// --- Where events come from --------------------------------------------------------------------------------------

export function recorded(side, file) {
  return lines(file).map((event, at) => ({ side, event, where: `${path.relative(ROOT, path.resolve(file))}:${at + 1}` }));
}

/**
 * The golden fixtures. A file holds one event or a list of them. Files in a folder `odd` are events that the API is not
 * known to send (of the future, of Azure): the package must refuse every one, or they are not odd any more.
 */
export function fixtures(folder = FIXTURES) {
  const load = (side, sub) => {
    const directory = path.join(folder, side, sub);
    if (!existsSync(directory)) return [];
    const files = readdirSync(directory).filter((name) => name.endsWith(".json")).sort();
    return files.flatMap((name) => {
      const content = JSON.parse(readFileSync(path.join(directory, name), "utf8"));
      const where = path.relative(ROOT, path.join(directory, name));
      return [content].flat().map((event) => ({ side, event, where, odd: sub === "odd" }));
    });
  };
  return Object.keys(UNIONS).flatMap((side) => [...load(side, ""), ...load(side, "odd")]);
}

function main(argv) {
  const report = new Report("openai");
  const events = [];
  for (let at = 0; at < argv.length; at += 2) {
    const side = { "--client": "client", "--server": "server" }[argv[at]];
    if (!side || !argv[at + 1]) throw new Error("usage: openai.mjs [--client FILE]… [--server FILE]…");
    events.push(...recorded(side, argv[at + 1]));
  }
  judgeEvents(report, argv.length ? events : fixtures());
  process.exitCode = report.print() ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
