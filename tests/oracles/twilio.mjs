// The `twilio` package judges our signatures, our TwiML and our REST requests.
//
//   node tests/oracles/twilio.mjs [--seed N]        what shared/wire makes (runs its example `oracle` with cargo)
//   node tests/oracles/twilio.mjs --twiml FILE      recorded documents: NDJSON, one string a line
//   node tests/oracles/twilio.mjs --signed FILE     recorded requests: NDJSON of {token, url, params?, body?, signature}

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import twilio from "twilio";

import { asObject, DEFAULT_SEED, randomCases } from "./cases.mjs";
import { Report } from "./report.mjs";
import { canonical, parse } from "./xml.mjs";

const require = createRequire(import.meta.url);
const webhooks = require("twilio/lib/webhooks/webhooks.js");
const { VoiceResponse } = twilio.twiml;
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

// --- Signatures --------------------------------------------------------------------------------------------------

/** The package's verdict on a request that came to `origin`. */
function packageAccepts({ origin, upgrade, target, params, body, tokens, signature }) {
  const url = (upgrade ? origin.replace(/^https?/, "wss") : origin) + target;
  return tokens
    .filter((token) => token !== null)
    .some((token) =>
      body === undefined
        ? webhooks.validateRequest(token, signature, url, asObject(params ?? []))
        : webhooks.validateRequestWithBody(token, signature, url, body),
    );
}

/** Requests with signatures that somebody else than the package made. */
export function judgeSigned(report, requests) {
  for (const { token, url, params = [], body, signature } of requests) {
    const pairs = Array.isArray(params) ? params : Object.entries(params);
    const accepted =
      body === undefined
        ? webhooks.validateRequest(token, signature, url, asObject(pairs))
        : webhooks.validateRequestWithBody(token, signature, url, body);
    report.check("signatures", accepted, () => `the signature of ${JSON.stringify(url)} with ${JSON.stringify(pairs)}`);
  }
}

function judgeVerdicts(report, requests, verdicts) {
  let accepted = 0;
  requests.forEach((request, at) => {
    const expected = packageAccepts(request);
    accepted += expected;
    const word = expected ? "accepts" : "refuses";
    report.check("verdicts", verdicts[at] === expected, () => `the package ${word} ${JSON.stringify(request)}`);
  });
  const some = accepted > requests.length / 4 && accepted < requests.length;
  if (requests.length >= 100 && !some) report.refuse(`cases prove nothing: ${accepted} of ${requests.length} accepted`);
}

// --- TwiML -------------------------------------------------------------------------------------------------------

/** Types of every attribute, as the package declares them: `attributes.get("Stream").get("url")`. */
const attributeTypes = (() => {
  let cache;
  return () => {
    if (cache) return cache;
    const file = require.resolve("twilio/lib/twiml/VoiceResponse.js").replace(/\.js$/, ".d.ts");
    const program = ts.createProgram([file], { lib: ["lib.es5.d.ts"], types: [], strict: true });
    const checker = program.getTypeChecker();
    const types = new Map();
    const visit = (node) => {
      if (ts.isInterfaceDeclaration(node) && node.name.text.endsWith("Attributes")) {
        const type = checker.getTypeAtLocation(node.name); // of all its declarations: the package repeats some
        const properties = type.getProperties().map((property) => [
          property.name,
          checker.getTypeOfSymbolAtLocation(property, node),
        ]);
        types.set(node.name.text.slice(0, -"Attributes".length), new Map(properties));
      }
      ts.forEachChild(node, visit);
    };
    visit(program.getSourceFile(file));
    if (types.size < 20) throw new Error(`${file} does not declare attributes any more`);
    return (cache = { types, checker });
  };
})();

function takes(checker, type, text) {
  if (type.isUnion()) return type.types.some((member) => takes(checker, member, text));
  if (type.isStringLiteral()) return type.value === text;
  if (type.flags & ts.TypeFlags.String) return true;
  if (type.flags & ts.TypeFlags.Number) return /^\d+$/.test(text);
  if (type.flags & ts.TypeFlags.BooleanLiteral) return checker.typeToString(type) === text;
  if (!checker.isArrayType(type)) return false;
  // Lists, like `GatherInput[]`, are written as words with blanks between.
  const [element] = checker.getTypeArguments(type);
  return text.split(" ").every((word) => takes(checker, element, word));
}

function judgeElement(report, node, parent, where) {
  const { types, checker } = attributeTypes();
  const declared = types.get(node.name) ?? new Map();
  for (const [name, value] of Object.entries(node.attributes)) {
    const type = declared.get(name);
    report.check("attributes", type !== undefined, `${where}: <${node.name}> has no attribute ${name}`);
    if (type === undefined) continue;
    if (!takes(checker, type, value)) report.refuse(`${where}: <${node.name} ${name}> cannot be ${JSON.stringify(value)}`);
  }
  const method = node.name[0].toLowerCase() + node.name.slice(1);
  report.count("elements");
  if (typeof Object.getPrototypeOf(parent)[method] !== "function") {
    report.refuse(`${where}: <${parent.constructor.name}> cannot contain <${node.name}>`);
    return;
  }
  const text = node.children.filter((child) => typeof child === "string").join("");
  const built = text === "" ? parent[method](node.attributes) : parent[method](node.attributes, text);
  for (const child of node.children) if (typeof child !== "string") judgeElement(report, child, built, where);
}

/** Any document: well-formed, only elements and attributes that the package knows, and the same when it writes it. */
export function judgeDocument(report, xml, where) {
  let root;
  try {
    root = parse(xml);
  } catch (error) {
    report.check("documents", false, `${where}: not well-formed: ${error.message}`);
    return;
  }
  report.check("documents", root.name === "Response" && Object.keys(root.attributes).length === 0, `${where}: the root must be <Response>`);
  const rebuilt = new VoiceResponse();
  for (const child of root.children) {
    if (typeof child === "string") report.refuse(`${where}: text between the verbs`);
    else judgeElement(report, child, rebuilt, where);
  }
  const same = canonical(parse(rebuilt.toString())) === canonical(root);
  if (!same) report.refuse(`${where}: the package writes ${rebuilt}, not ${xml}`);
}

/** The documents of the example, built by hand with the package: what they are meant to say. */
function intended() {
  const sorry = [{ voice: "Polly.Joanna-Neural", language: "en-US" }, 'Sorry – it\'s <us> & "you".'];
  const documents = {
    empty: () => {},
    stream: (r) => {
      const action = "https://h/after?call=1&b=2#rc=3&rp=ct,rt,5xx&ct=2000&rt=15000";
      const stream = r.connect({ action }).stream({ url: "wss://h:8443/media/1", statusCallback: "https://h/status?call=1" });
      stream.parameter({ name: "token", value: 'a.b"c' });
      stream.parameter({ name: "x", value: "ü" });
    },
    apology: (r) => {
      r.say(...sorry);
      r.pause({ length: 1 });
      const options = { action: "https://h/dial", timeout: 20, timeLimit: 3600, callerId: "+15005550006", answerOnBridge: true };
      r.dial(options).number("+15005550006");
    },
    "plain dial": (r) => r.dial().number("+15005550006"),
    gather: (r) => {
      const gather = r.gather({
        input: ["speech"],
        action: "https://h/gather",
        timeout: 4,
        numDigits: 1,
        finishOnKey: "*",
        speechTimeout: "auto",
        language: "en-GB",
        hints: "booking, opening hours",
        actionOnEmptyResult: true,
      });
      gather.say(...sorry);
      gather.play("https://h/beep.wav");
      r.redirect("https://h/again?a=1&b=2");
    },
    keys: (r) => r.gather({ input: ["dtmf"], action: "https://h/keys" }),
    "speech or keys": (r) => r.gather({ input: "dtmf speech", action: "https://h/both" }),
    voicemail: (r) => {
      r.play({ digits: "1w#" });
      r.record({
        action: "https://h/voicemail",
        maxLength: 120,
        timeout: 5,
        finishOnKey: "#",
        playBeep: false,
        recordingStatusCallback: "https://h/recording",
      });
      r.hangup();
    },
    rejected: (r) => r.reject({ reason: "rejected" }),
    busy: (r) => r.reject({ reason: "busy" }),
  };
  return new Map(
    Object.entries(documents).map(([name, build]) => {
      const response = new VoiceResponse();
      build(response);
      return [name, response.toString()];
    }),
  );
}

function intendedOfText(text) {
  // The package refuses what XML cannot hold; ours leaves it out.
  const clean = text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "");
  const response = new VoiceResponse();
  response.connect({ action: clean }).stream({ url: "wss://h/media" }).parameter({ name: clean, value: clean });
  response.gather({ input: "dtmf speech", action: clean, hints: clean }).say({ voice: clean }, clean);
  response.redirect(clean);
  return response.toString();
}

function compare(report, what, ours, theirs, where) {
  let same = false;
  try {
    same = canonical(parse(ours)) === canonical(parse(theirs));
  } catch {
    // Not well-formed, and so not the same.
  }
  report.check(what, same, () => `${where}: the package writes ${theirs}, not ${ours}`);
}

// --- REST --------------------------------------------------------------------------------------------------------

/** What the package would send, caught before it is sent. */
async function packageRequests() {
  const caught = [];
  const httpClient = {
    request: async (options) => {
      caught.push(options);
      return { statusCode: options.method === "delete" ? 204 : 200, body: {} };
    },
  };
  const client = twilio("AC0123456789abcdef0123456789abcdef", "token", { httpClient });
  const call = client.calls("CA0123456789abcdef0123456789abcdef");
  const recording = "RE0123456789abcdef0123456789abcdef";
  const say = new VoiceResponse();
  say.say("A & B");
  const calls = {
    "fetch call": () => call.fetch(),
    "end call": () => call.update({ status: "completed" }),
    "redirect call": () => call.update({ url: "https://h/next?a=1&b=ü" }),
    "replace twiml": () => call.update({ twiml: say }),
    "start recording": () =>
      call.recordings.create({ recordingChannels: "dual", trim: "do-not-trim", recordingStatusCallback: "https://h/recorded" }),
    "stop recording": () => call.recordings(recording).update({ status: "stopped" }),
    "delete recording": () => client.recordings(recording).remove(),
  };
  const requests = new Map();
  for (const [name, send] of Object.entries(calls)) {
    await send();
    requests.set(name, caught.pop());
  }
  return requests;
}

async function judgeRest(report, requests) {
  const expected = await packageRequests();
  if (requests.length !== expected.size) report.refuse(`${requests.length} REST requests, ${expected.size} expected`);
  const sorted = (pairs) => JSON.stringify([...pairs].map(([k, v]) => [k, String(v)]).sort());
  for (const { name, method, url, headers, body } of requests) {
    const theirs = expected.get(name);
    const authorization = `Basic ${Buffer.from(`${theirs.username}:${theirs.password}`).toString("base64")}`;
    const header = Object.fromEntries(headers);
    const same =
      method.toLowerCase() === theirs.method &&
      url === theirs.uri &&
      sorted(new URLSearchParams(body)) === sorted(Object.entries(theirs.data ?? {})) &&
      header.authorization === authorization &&
      (body === "" || header["content-type"] === "application/x-www-form-urlencoded");
    report.check("REST requests", same, () => `${name}: the package sends ${JSON.stringify(theirs)}, not ${method} ${url} ${body}`);
  }
}

// --- Our side ----------------------------------------------------------------------------------------------------

/** Runs the example of shared/wire. */
function ask(cases) {
  const run = spawnSync("cargo", ["run", "--quiet", "-p", "voicecore-wire", "--example", "oracle"], {
    cwd: ROOT,
    input: JSON.stringify(cases),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`the example of shared/wire ended with ${run.status ?? run.signal}`);
  return JSON.parse(run.stdout);
}

/** What shared/wire makes of cases of every kind. */
export function askWire(seed) {
  const cases = randomCases(seed);
  return { cases, answers: ask(cases) };
}

export async function judgeWire(report, { cases, answers }) {
  judgeSigned(report, cases.sign.map((request, at) => ({ ...request, signature: answers.sign[at] })));
  judgeVerdicts(report, cases.verify, answers.verify);
  cases.texts.forEach((text, at) =>
    compare(report, "texts", answers.texts[at], intendedOfText(text), `text ${JSON.stringify(text)}`),
  );
  const documents = intended();
  if (answers.twiml.length !== documents.size) report.refuse(`${answers.twiml.length} documents, ${documents.size} expected`);
  for (const { name, xml } of answers.twiml) {
    compare(report, "intentions", xml, documents.get(name), name);
    judgeDocument(report, xml, name);
  }
  await judgeRest(report, answers.rest);
}

export function lines(file) {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, at) => {
      try {
        return JSON.parse(line);
      } catch {
        throw new Error(`${file}: line ${at + 1} is not JSON`);
      }
    });
}

async function main(argv) {
  const report = new Report("twilio");
  const option = (name) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
  const [twiml, signed, seed] = [option("--twiml"), option("--signed"), Number(option("--seed") ?? DEFAULT_SEED)];
  if (twiml) lines(twiml).forEach((xml, at) => judgeDocument(report, xml, `${twiml}, document ${at + 1}`));
  if (signed) judgeSigned(report, lines(signed));
  if (!twiml && !signed) await judgeWire(report, askWire(seed));
  process.exitCode = report.print() ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv.slice(2));
