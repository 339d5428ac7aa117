import assert from "node:assert/strict";
import { test } from "node:test";
import { clock } from "../../src/format";
import { asked } from "../../src/pages/calls";
import { bars } from "../../src/pages/charts";
import { byDay, spans } from "../../src/pages/settings/hours";

test("the address says what is asked, and nothing that is no filter", () => {
  const url = new URLSearchParams("q=two+words&status=busy&sort=longest&from=%2B12025550143&page=3&since=2026-03-01&until=2026-03-02");
  const query = asked(url);
  assert.deepEqual([query.q, query.status, query.sort, query.from, query.page], ["two words", "busy", "longest", "+12025550143", 3]);
  assert.ok((query.until ?? 0) - (query.since ?? 0) >= 47 * 3_600_000);
  assert.deepEqual(asked(new URLSearchParams("status=nonsense&sort=up&page=-1&since=yesterday&until=today&evil=1")), {});
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
