import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, numberIn } from "../../src/format";
import { isPaused } from "../../src/pages/call-actions";
import { csv } from "../../src/pages/call-export";
import { asked, bounds, dayOf } from "../../src/pages/call-query";
import { columnsOf } from "../../src/pages/call-table";
import { addressOf, filtersOf } from "../../src/pages/call-views";
import { bars } from "../../src/pages/charts";
import { median, moments } from "../../src/pages/timeline";
import { whereTo } from "../../src/shell/notifications";
import { byDay, spans } from "../../src/pages/settings/hours";

test("the address says what is asked, and nothing that is no filter", () => {
  const url = new URLSearchParams("q=two+words&status=busy&sort=longest&from=%2B12025550143&page=3&since=2026-03-01&until=2026-03-02");
  const query = asked(url);
  assert.deepEqual([query.q, query.status, query.sort, query.from, query.page], ["two words", "busy", "longest", "+12025550143", 3]);
  assert.ok((query.until ?? 0) - (query.since ?? 0) >= 47 * 3_600_000);
  assert.deepEqual(asked(new URLSearchParams("status=nonsense&sort=up&page=-1&since=yesterday&until=today&evil=1")), {});
});

test("days are those of the reader's time zone, each whole, and only those that there are", () => {
  const { since, until } = bounds({ start: "2026-02-28", end: "2026-03-31" });
  assert.deepEqual([since, until], [new Date(2026, 1, 28).getTime(), new Date(2026, 3, 1).getTime()]);
  assert.deepEqual([dayOf(since), dayOf(since - 1), dayOf(until - 1), dayOf(until)], ["2026-02-28", "2026-02-27", "2026-03-31", "2026-04-01"]);
  for (const none of ["2026-02-30", "2026-13-01", "2026-2-3", "0000-01-01x", "0042-01-01"]) {
    assert.deepEqual(asked(new URLSearchParams(`since=${none}&until=2026-03-02`)), {}, none);
  }
});

test("days and hours without calls are in the chart, too", () => {
  const day = 86_400_000;
  const since = Date.UTC(2026, 0, 5, 23) - day;
  const point = { at: Date.UTC(2026, 0, 6) - 3_600_000, calls: 3, answered: 2, transferred: 0, duration_ms: 0, cost_micros: 0 };
  const volume = { since, until: since + 4 * day, utc_offset_minutes: 60, points: [point], hours: [], businesses: [], by_status: [] };
  const all = bars(volume, "day");
  assert.deepEqual(all.map(({ calls }) => calls), [0, 3, 0, 0]);
});

test("opening hours come back as they were typed", () => {
  const said = ["monday 09:00-12:00", "monday 13:00-17:30", "sunday 00:00-24:00"];
  assert.deepEqual(spans(byDay(said)), said);
  assert.deepEqual(spans({ monday: " 9:00 – 12:00 ,, " }), ["monday 9:00-12:00"]);
});

test("lengths", () => {
  assert.deepEqual([-5, 0, 61_999, 3_729_000].map(clock), ["0:00", "0:00", "1:01", "1:02:09"]);
});

test("the address of a view asks for what the view was kept with", () => {
  const url = new URLSearchParams("q=two+words&status=busy&direction=inbound&business=b1&from=%2B12025550143&to=%2B12025550199&since=2026-03-01&until=2026-03-02&sort=longest&page=3");
  const filters = filtersOf(url);
  assert.deepEqual(Object.keys(filters).sort(), ["business_id", "direction", "from", "q", "since", "status", "to", "until"]);
  const again = addressOf({ id: "v1", sort: "longest", filters });
  assert.equal(again.get("view"), "v1");
  assert.deepEqual(filtersOf(again), filters);
  assert.deepEqual(asked(again).sort, "longest");
  assert.equal(addressOf({ id: "v1", sort: null, filters: { status: 7, q: null } }).toString(), "view=v1");
});

test("a table for spreadsheets computes nothing, and quotes what it must", () => {
  const call = {
    id: "c1", carrier_call_id: "CA,1", business_id: "b", status: "completed", started_at: 0, interaction_count: 2, attempts: 1, model_sessions: 1,
    from: "+12025550143", end_reason: '=HYPERLINK("x")',
  } as const;
  const [, row] = csv([call], () => "@Ada\n").split("\r\n");
  assert.equal(row, `c1,+12025550143,completed,"'@Ada\n",1970-01-01T00:00:00.000Z,,,,"'=HYPERLINK(""x"")",,,2,1,"CA,1"`);
});

test("columns are ours, in our order, and never none", () => {
  assert.deepEqual(columnsOf(["started_at", "evil", "status"]), ["status", "started_at"]);
  assert.equal(columnsOf(["evil"]), null);
  assert.equal(columnsOf("status"), null);
});

test("a call is paused from a pause to the next resume", () => {
  const entry = (seq: number, action: "pause" | "resume" | "message") =>
    ({ kind: "intervention", action, seq, speaker: "operator", text: "", start_ms: 0, end_ms: 0, estimated: false }) as const;
  assert.equal(isPaused([]), false);
  assert.equal(isPaused([entry(1, "pause"), entry(2, "message")]), true);
  assert.equal(isPaused([entry(1, "pause"), entry(2, "resume")]), false);
});

test("what happened in a call is in its order", () => {
  const call = {
    id: "c1", carrier_call_id: "CA1", business_id: "b", status: "completed", started_at: 1_000, answered_at: 3_000, ended_at: 9_000,
    interaction_count: 2, attempts: 1, model_sessions: 1,
  } as const;
  const said = { kind: "speech", speaker: "assistant", text: "", estimated: false } as const;
  const items = [
    { ...said, seq: 1, start_ms: 0, end_ms: 2_000, cut_at_ms: 1_500 },
    { ...said, kind: "dtmf", seq: 2, start_ms: 1_000, end_ms: 1_000 } as const,
  ];
  assert.deepEqual(moments(call, items).map(({ at, what }) => [at, what]), [[1_000, "rang"], [3_000, "answered"], [4_000, "entry"], [4_500, "cut"], [9_000, "ended"]]);
  assert.deepEqual([median([]), median([7]), median([3, 1, 2]), median([4, 1, 2, 3])], [null, 7, 2, 2]);
});

test("a telephone number is found in what people type", () => {
  assert.deepEqual(["+1 (202) 555-0143", "+49.30 1234567", "2025550143", "+0123456789", "hello +12025550143", "+123"].map(numberIn), ["+12025550143", "+49301234567", null, null, null, null]);
});

test("every notification leads to what it is about", () => {
  const to = (kind: Parameters<typeof whereTo>[0]["kind"]) => whereTo({ kind, subject_id: "a/b" });
  assert.deepEqual([to("call_failed"), to("call_escalated"), to("message_received"), to("invitation_accepted"), to("api_key_expiring")], ["/calls/a%2Fb", "/calls/a%2Fb", "/messages", "/settings/users", "/settings/api-keys"]);
  assert.equal(to("of a newer version" as "call_failed"), "/notifications");
});
