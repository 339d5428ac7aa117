// Random cases for the judges of `twilio.mjs`: requests right and wrong, and text of every kind.

import querystring from "node:querystring";
import { createRequire } from "node:module";

const webhooks = createRequire(import.meta.url)("twilio/lib/webhooks/webhooks.js");

export const DEFAULT_SEED = 20261120;
const SIGNED = 500;
const VERIFIED = 2000;
const TEXTS = 300;

/** The same seed gives the same cases. */
export function randomCases(seed) {
  const dice = new Dice(seed);
  const of = (number, make) => Array.from({ length: number }, () => make(dice));
  return {
    sign: of(SIGNED, signCase),
    verify: of(VERIFIED, verifyCase),
    texts: of(TEXTS, () => dice.text(`${WORDS}\u{0}\u{1}\u{FFFE}]]><!--`, 20)),
  };
}

/** Mulberry32: small, seeded, good enough to pick cases. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Dice {
  constructor(seed) {
    this.next = random(seed);
  }
  below(n) {
    return Math.floor(this.next() * n);
  }
  of(items) {
    return items[this.below(items.length)];
  }
  text(alphabet, longest) {
    const letters = [...alphabet];
    return Array.from({ length: this.below(longest + 1) }, () => this.of(letters)).join("");
  }
}

const WORDS = "abzAZ09 +&=%_-.~!*'()/\\\"<>;:,#äéß€漢😀\u{FFFF}\u{E000}\u{1F4DE}\r\n\t";
// A number as a name would change places in the package's legacy query (JavaScript objects put such names first).
const NAMES = ["CallSid", "From", "To", "Digits", "Speech Result", "größe", "a", "A", "_"];

function params(dice) {
  return Array.from({ length: dice.below(7) }, () => [dice.of(NAMES), dice.text(WORDS, 12)]);
}

/** What a parsed body looks like to the package: repeated names as arrays. */
export function asObject(pairs) {
  const object = {};
  for (const [name, value] of pairs) {
    if (!(name in object)) object[name] = value;
    else object[name] = [object[name], value].flat();
  }
  return object;
}

function target(dice) {
  const query = Array.from({ length: dice.below(4) }, () => {
    const value = dice.text("ab09+-_.~!*'()%20", 6).replace(/%(?!20)/g, "");
    return `${dice.of(["call", "x", "y"])}=${value}`;
  });
  return `/webhooks/${dice.text("abc/", 6)}${query.length ? `?${query.join("&")}` : ""}`;
}

function signCase(dice) {
  const scheme = dice.of(["https", "http", "wss"]);
  const host = `${scheme}://voice.example.com${dice.of(["", ":443", ":80", ":8443"])}`;
  return { token: dice.text("abcdef0123456789", 32), url: host + target(dice), params: scheme === "wss" ? [] : params(dice) };
}

/** A request as Twilio might have signed it, in one of the spellings, or not signed by it at all. */
function verifyCase(dice) {
  const upgrade = dice.below(4) === 0;
  const scheme = dice.of(["https", "https", "http"]);
  const port = dice.of(["", "", ":443", ":8443", ":8787"]);
  const signedScheme = upgrade ? "wss" : scheme;
  const usual = scheme === "http" && !upgrade ? ":80" : ":443";
  // The address of a media socket has no query.
  const path = upgrade ? target(dice).split("?")[0] : target(dice);
  const tokens = [dice.text("0123456789abcdef", 8) + "1", dice.below(2) ? "secondary" : null];
  const token = dice.of([tokens[0], tokens[0], tokens[1] ?? tokens[0], "wrong"]);
  const kind = upgrade ? "none" : dice.of(["form", "form", "raw", "none"]);
  const request = { origin: `${scheme}://voice.example.com${port}`, upgrade, target: path, tokens };
  if (kind === "form") request.params = params(dice);
  if (kind === "raw") {
    request.body = JSON.stringify({ text: dice.text(WORDS, 10) });
    const hash = webhooks.getExpectedBodyHash(dice.below(4) ? request.body : `${request.body} `);
    request.target += `${path.includes("?") ? "&" : "?"}bodySHA256=${hash}`;
  }
  const signedTarget = spelling(dice, request.target);
  // The package adds :80 to wss addresses; Twilio signs none there, so that spelling is left out on both sides.
  const signedPort = upgrade ? dice.of(["", port]) : dice.of(["", port || usual]);
  const signed = `${dice.below(12) ? signedScheme : dice.of(["https", "wss"])}://voice.example.com${signedPort}${signedTarget}`;
  request.signature = webhooks.getExpectedTwilioSignature(token, signed, asObject(request.params ?? []));
  return request;
}

function spelling(dice, received) {
  const at = received.indexOf("?");
  if (at < 0) return dice.below(8) ? received : `${received}x`;
  const [path, query] = [received.slice(0, at + 1), received.slice(at + 1)];
  return dice.of([
    received,
    received,
    path + query.replaceAll("'", "%27"),
    path + querystring.stringify(querystring.parse(query.replaceAll("'", "%27"))),
    `${received}&z=1`,
  ]);
}
