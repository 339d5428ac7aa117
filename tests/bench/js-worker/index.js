// The platform's floor for `bench api`: the least that a worker can do for *list* and *get* and still know whose key it is, over the same
// database as VoiceCore's. No limits, no departments, no sealed numbers, no problem documents: one look at the key, then the rows.

const CALL = `select id, carrier_call_id, business_id, caller_number as "from", status, started_at, answered_at, ended_at, end_reason,
  interaction_count, attempts, model_sessions, model, cost_micros from calls where tenant_id = ?1`;
const PAGE_SIZE = 50;

async function tenant(request, db) {
  const token = request.headers.get("Authorization")?.slice("Bearer ".length) ?? "";
  const key = await db.prepare("select tenant_id, key_hash from api_keys where prefix = ?1 and revoked_at is null")
    .bind(token.split("_")[1] ?? "").first();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return key?.key_hash === hex ? key.tenant_id : undefined;
}

async function list(db, tenant, url) {
  const page = Number(url.searchParams.get("page") ?? 1);
  const [rows, count] = await db.batch([
    db.prepare(`${CALL} order by started_at desc, id desc limit ?2 offset ?3`).bind(tenant, PAGE_SIZE, (page - 1) * PAGE_SIZE),
    db.prepare("select count(*) as total from (select 1 from calls where tenant_id = ?1 limit 10001)").bind(tenant),
  ]);
  const { total } = count.results[0];
  return Response.json({ items: rows.results, total: Math.min(total, 10_000), total_capped: total > 10_000, page, page_size: PAGE_SIZE });
}

export default {
  async fetch(request, { DB }) {
    const url = new URL(request.url);
    const of = await tenant(request, DB);
    if (of === undefined) return new Response(null, { status: 401 });
    if (url.pathname === "/api/v1/calls") return list(DB, of, url);
    const call = await DB.prepare(`${CALL} and id = ?2`).bind(of, url.pathname.split("/")[4]).first();
    return call ? Response.json(call) : new Response(null, { status: 404 });
  },
};
