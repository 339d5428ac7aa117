// A judge that cannot refuse proves nothing: each is shown what must pass, and then the same with one thing wrong.

import { refusalsOf } from "./openai.mjs";
import { Report } from "./report.mjs";
import { judgeDocument, judgeSigned, judgeWire } from "./twilio.mjs";

// --- Events ------------------------------------------------------------------------------------------------------

const SESSION = {
  type: "realtime",
  output_modalities: ["audio"],
  audio: {
    input: { format: { type: "audio/pcmu" }, turn_detection: { type: "server_vad", threshold: 0.5, idle_timeout_ms: 8000 } },
    output: { format: { type: "audio/pcmu" }, voice: "marin" },
  },
  tools: [{ type: "function", name: "book", parameters: { type: "object", properties: {} } }],
  tool_choice: "auto",
  max_output_tokens: 1024,
};
const DELTA = {
  type: "response.output_audio.delta",
  event_id: "e",
  response_id: "r",
  item_id: "i",
  output_index: 0,
  content_index: 0,
  delta: "AAAA",
};
const USER = { type: "message", role: "user", content: [{ type: "input_text", text: "x" }] };
const TRUNCATE = { type: "conversation.item.truncate", item_id: "i", content_index: 0, audio_end_ms: 1500 };

const update = (change) => ["client", { type: "session.update", session: { ...SESSION, ...change } }];
const create = (change) => ["client", { type: "conversation.item.create", item: { ...USER, ...change } }];

const GOOD_EVENTS = [
  update({}),
  update({ tool_choice: { type: "function", name: "book" } }),
  create({}),
  create({ role: "assistant", content: [{ type: "output_text", text: "x" }] }),
  ["client", TRUNCATE],
  ["client", { type: "input_audio_buffer.append", audio: "AAAA" }],
  ["client", { type: "response.cancel" }],
  ["server", DELTA],
  ["server", { type: "error", event_id: "e", error: { type: "t", message: "m", code: null, param: null } }],
];

const BAD_EVENTS = {
  "an unknown event": ["client", { type: "response.stop" }],
  "no event at all": ["client", ["response.create"]],
  "an event of the other side": ["client", DELTA],
  "a field of the beta": update({ temperature: 0.8 }),
  "a flat voice": update({ voice: "marin" }),
  "a rate on µ-law": update({ audio: { output: { format: { type: "audio/pcmu", rate: 8000 } } } }),
  "a threshold for semantic detection": update({ audio: { input: { turn_detection: { type: "semantic_vad", threshold: 1 } } } }),
  "a field too many in a choice": update({ tool_choice: { type: "function", name: "book", strict: true } }),
  "a modality that is none": update({ output_modalities: ["speech"] }),
  "text where a number belongs": update({ max_output_tokens: "1024" }),
  "null where none is allowed": update({ instructions: null }),
  "a part of the beta": create({ role: "assistant", content: [{ type: "text", text: "x" }] }),
  "a field too many in a part": create({ content: [{ type: "input_text", text: "x", lang: "en" }] }),
  "a role that is none": create({ role: "developer" }),
  "a fraction of a millisecond": ["client", { ...TRUNCATE, audio_end_ms: 1.5 }],
  "a missing field": ["client", { type: "conversation.item.truncate", item_id: "i", audio_end_ms: 1 }],
  "a field too many": ["client", { type: "response.cancel", reason: "turn" }],
  "audio that is not base64": ["client", { type: "input_audio_buffer.append", audio: "AAAAB" }],
  "a delta without its item": ["server", { ...DELTA, item_id: undefined }],
  "a delta with a field too many": ["server", { ...DELTA, sequence_number: 1 }],
  "a delta of the beta": ["server", { ...DELTA, type: "response.audio.delta" }],
};

function testEvents(report) {
  const of = (cases) => cases.map(([side, event]) => ({ side, event: JSON.parse(JSON.stringify(event)) }));
  const bad = Object.entries(BAD_EVENTS);
  const { refusals } = refusalsOf(of([...GOOD_EVENTS, ...bad.map(([, event]) => event)]));
  GOOD_EVENTS.forEach(([, event], at) =>
    report.check("events", refusals[at].length === 0, () => `refused ${event.type}: ${refusals[at]}`),
  );
  bad.forEach(([name], at) => report.check("bad events", refusals[GOOD_EVENTS.length + at].length > 0, `accepted ${name}`));
}

// --- Documents ---------------------------------------------------------------------------------------------------

const GOOD_DOCUMENT =
  '<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="https://h/a?b=1&amp;c=2"><Stream url="wss://h/m">' +
  '<Parameter name="t" value="x"/></Stream></Connect><Say voice="alice">A &lt; B</Say><Hangup/></Response>';

const BAD_DOCUMENTS = {
  "no document": "",
  "a bare ampersand": GOOD_DOCUMENT.replace("&amp;", "&"),
  "an unclosed element": GOOD_DOCUMENT.replace("</Say>", ""),
  "an attribute twice": GOOD_DOCUMENT.replace('voice="alice"', 'voice="alice" voice="man"'),
  "a control character": GOOD_DOCUMENT.replace("A &lt;", "A\u{1} &lt;"),
  "another root": GOOD_DOCUMENT.replaceAll("Response>", "Answer>"),
  "an unknown verb": GOOD_DOCUMENT.replace("<Hangup/>", "<HangUp/>"),
  "a noun as a verb": GOOD_DOCUMENT.replace("<Hangup/>", '<Parameter name="a" value="b"/>'),
  "a verb in the wrong place": GOOD_DOCUMENT.replace("<Parameter", "<Hangup/><Parameter"),
  "an unknown attribute": GOOD_DOCUMENT.replace("voice=", "speaker="),
  "a voice that is none": GOOD_DOCUMENT.replace("alice", "bob"),
  "a number that is none": GOOD_DOCUMENT.replace("<Hangup/>", '<Pause length="long"/>'),
  "text between verbs": GOOD_DOCUMENT.replace("<Hangup/>", "bye<Hangup/>"),
};

function testDocuments(report) {
  const refused = (xml) => {
    const verdict = new Report("document");
    judgeDocument(verdict, xml, "document");
    return verdict.refusals;
  };
  report.check("documents", refused(GOOD_DOCUMENT).length === 0, () => `refused a document: ${refused(GOOD_DOCUMENT)}`);
  for (const [name, xml] of Object.entries(BAD_DOCUMENTS)) {
    report.check("bad documents", xml !== GOOD_DOCUMENT && refused(xml).length > 0, `accepted ${name}`);
  }
}

// --- Requests and answers of shared/wire -------------------------------------------------------------------------

const SIGNED = {
  token: "12345",
  url: "https://mycompany.com/myapp.php?foo=1&bar=2",
  params: { CallSid: "CA1234567890ABCDE", Caller: "+14158675309", Digits: "1234", From: "+14158675309", To: "+18005551212" },
  signature: "RSOYDt4T1cUTdK1PDd93/VVr8B8=", // twilio.com/docs/usage/security
};

const SPOILERS = {
  "a signature": (answers) => (answers.sign[7] = answers.sign[8]),
  "an acceptance": (answers) => (answers.verify[answers.verify.indexOf(true)] = false),
  "a refusal": (answers) => (answers.verify[answers.verify.indexOf(false)] = true),
  "an escape": (answers) => (answers.texts = answers.texts.map((xml) => xml.replace("&amp;", "&amp;amp;"))),
  "an attribute": (answers) => answers.twiml.forEach((d) => (d.xml = d.xml.replace("timeLimit", "timelimit"))),
  "a document": (answers) => answers.twiml.pop(),
  "a request": (answers) => (answers.rest[1].body = "Status=canceled"),
  "a credential": (answers) => (answers.rest[0].headers[0][1] += "="),
};

async function testRequests(report, wire) {
  const judged = (request) => {
    const verdict = new Report("request");
    judgeSigned(verdict, [request]);
    return verdict.refusals.length === 0;
  };
  report.check("requests", judged(SIGNED), "refused the example of Twilio's own page");
  const bad = [{ token: "12346" }, { url: `${SIGNED.url}3` }, { params: {} }, { signature: "" }, { body: "{}" }];
  for (const change of bad) {
    report.check("bad requests", !judged({ ...SIGNED, ...change }), `accepted ${JSON.stringify(change)}`);
  }
  for (const [name, spoil] of Object.entries(SPOILERS)) {
    const answers = structuredClone(wire.answers);
    spoil(answers);
    const verdict = new Report("spoiled");
    await judgeWire(verdict, { cases: wire.cases, answers });
    report.check("spoiled answers", verdict.refusals.length > 0, `did not notice ${name} gone wrong`);
  }
}

export async function selfTest(report, wire) {
  testEvents(report);
  testDocuments(report);
  await testRequests(report, wire);
}
