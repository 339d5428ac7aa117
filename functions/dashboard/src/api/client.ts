// The API, typed by its own description, and the session that opens it. The access token lives in memory only; the cookie that
// gets the next one cannot be read by scripts.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { hold } from "./slowed";

export type Schema = components["schemas"];
type Problem = Schema["Problem"];

/** Whatever went wrong with a request: a problem document of the API's, or no answer at all (`network`). */
export class ApiFailure extends Error {
  readonly code: Problem["code"] | "network";
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly requestId: string | null;
  readonly retryAfter: number | null;

  constructor(problem: Partial<Problem> | null, response: Response | null) {
    super(problem?.detail ?? problem?.title ?? "");
    this.code = response === null ? "network" : (problem?.code ?? "internal");
    this.status = response?.status ?? 0;
    this.fields = new Map((problem?.errors ?? []).map((wrong) => [wrong.field, wrong.message]));
    this.requestId = response?.headers.get("x-request-id") ?? null;
    const after = Number(response?.headers.get("retry-after") ?? Number.NaN);
    this.retryAfter = Number.isFinite(after) ? after : null;
  }
}

/** Refreshed this long before it ends, so that no request meets its end. */
const EARLY_MS = 30_000;

let access: { token: string; until: number } | null = null;
/** A super admin looks into another tenant: no cookie belongs to that session, so it ends with its token or with the page. */
let lookingInto: { session: string; tenant: string } | null = null;
const lookEnded = new Set<() => void>();
let refreshing: Promise<boolean> | null = null;
/** What was begun when the page was opened, until somebody wants to know what came of it. */
let begun: Promise<boolean> | null = null;
const ended = new Set<() => void>();

/** Calls back when the session has ended by itself. */
export function onSessionEnd(listener: () => void): () => void {
  ended.add(listener);
  return () => ended.delete(listener);
}

function keep(signedIn: Schema["SignedIn"]): void {
  access = { token: signedIn.access_token, until: Date.now() + signedIn.expires_in * 1000 - EARLY_MS };
}

/** A new access token for the cookie, which is one's own; `false` when nobody is signed in. Throws when that could not be found out. */
export function refresh(): Promise<boolean> {
  refreshing ??= oneTabAtATime(refreshNow).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** A lock that another tab has is not waited for any longer than this before something else is done. */
const LOCK_MS = 100;
let asking: (() => void) | null = null;

/** Asks for the first token, before there is anything that needs it; done when that is asked. */
export async function begin(): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    asking = resolve;
    setTimeout(resolve, LOCK_MS);
  });
  begun = refresh();
  begun.catch(() => undefined);
  await asked;
}

/** Whether somebody is signed in: there is a token, or the cookie gives one. Throws when that could not be found out. */
export function resume(): Promise<boolean> {
  if (access !== null) return Promise.resolve(true);
  const asked = begun ?? refresh();
  begun = null;
  return asked;
}

/** Whether there is a token, or one on its way. */
export async function hasSession(): Promise<boolean> {
  await refreshing?.catch(() => undefined);
  return access !== null;
}

// The cookie is replaced with every use: two tabs that use it at once would look like a theft.
async function oneTabAtATime(run: () => Promise<boolean>): Promise<boolean> {
  if (!("locks" in navigator)) return run();
  return navigator.locks.request("voicecore.refresh", run);
}

async function refreshNow(): Promise<boolean> {
  const asked = sendPatiently(new Request("/api/v1/auth/refresh", { method: "POST" }));
  asking?.();
  const response = await asked;
  if (!response.ok && response.status !== 401) throw await failure(response);
  const signedIn = response.ok ? ((await response.json()) as Schema["SignedIn"]) : null;
  // In one step: nothing is ever asked with one's own token while a tenant is looked into.
  lookingInto = null;
  access = null;
  if (signedIn !== null) keep(signedIn);
  return signedIn !== null;
}

async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiFailure(null, null);
  }
}

/** What may be sent again after a refusal for haste: it was not carried out. So often, and when the wait is no longer than this. */
const MOST_HOLDS = 2;
const LONGEST_HOLD_MS = 60_000;
/** What was held goes on within this time, not all at once. */
const SPREAD_MS = 1_000;

/** Sends what only reads, or takes up the session, again when the API was asked too much and has told how long to wait. */
async function sendPatiently(request: Request): Promise<Response> {
  for (let holds = 0, next = request; ; holds += 1) {
    const again = next.clone();
    const response = await send(next);
    if (response.status !== 429 || holds === MOST_HOLDS) return response;
    const wait = Number(response.headers.get("retry-after") ?? Number.NaN) * 1000;
    if (!(wait >= 0 && wait <= LONGEST_HOLD_MS)) return response;
    await hold(wait + Math.random() * SPREAD_MS);
    next = again;
  }
}

async function failure(response: Response): Promise<ApiFailure> {
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  return new ApiFailure(problem, response);
}

/** Sends a request with the access token, which is refreshed where it has to be, once. */
export async function authorized(request: Request): Promise<Response> {
  const signedIn = access !== null;
  if (access !== null && access.until <= Date.now() && lookingInto === null) await refresh();
  const into = lookingInto;
  const again = request.clone();
  const response = await (request.method === "GET" ? sendPatiently : send)(withToken(request));
  // Never asked again as somebody else: it was meant for the tenant that was looked into when it was sent.
  if (response.status !== 401 || !signedIn || into !== lookingInto) return response;
  if (into !== null) {
    await stopLooking().catch(() => undefined);
    for (const listener of lookEnded) listener();
    return response;
  }
  if (await refresh()) return send(withToken(again));
  for (const listener of ended) listener();
  return response;
}

function withToken(request: Request): Request {
  if (access !== null) request.headers.set("authorization", `Bearer ${access.token}`);
  return request;
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorized });

/** What was answered, or the failure as an exception. */
export async function answer<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (error !== undefined || !response.ok) throw new ApiFailure((error ?? null) as Partial<Problem> | null, response);
  return data as T;
}

/** Signs in and keeps the access token. */
export async function signIn(email: string, password: string): Promise<void> {
  access = null;
  lookingInto = null;
  keep(await answer(api.POST("/api/v1/auth/login", { body: { email, password } })));
}

/** Looks into a tenant as its administrator, from the next request on. */
export async function lookInto(id: string, name: string): Promise<void> {
  const signedIn = await answer(api.POST("/api/v1/tenants/{id}/impersonate", { params: { path: { id } } }));
  keep(signedIn);
  lookingInto = { session: signedIn.session_id, tenant: name };
}

/** The name of the tenant that is looked into. */
export function lookedInto(): string | null {
  return lookingInto?.tenant ?? null;
}

/** Back to one's own session, by its cookie; the other one ends. */
export async function stopLooking(): Promise<void> {
  const session = lookingInto?.session;
  if (!(await refresh())) {
    for (const listener of ended) listener();
  } else if (session !== undefined) {
    await answer(api.DELETE("/api/v1/sessions/{id}", { params: { path: { id: session } } }));
  }
}

/** Calls back when what was looked into is closed, because its hour is over. */
export function onLookEnd(listener: () => void): () => void {
  lookEnded.add(listener);
  return () => lookEnded.delete(listener);
}

/** Ends the session, and first the one that looks into a tenant. It is forgotten here even when the API cannot be told. */
export async function signOut(): Promise<void> {
  try {
    if (lookingInto !== null) await stopLooking();
    await answer(api.POST("/api/v1/auth/logout"));
  } finally {
    access = null;
  }
}

/** Fetches a file and hands it to the browser's downloads. */
export async function download(path: string, name: string): Promise<void> {
  const response = await authorized(new Request(path));
  if (!response.ok) throw await failure(response);
  saveAs(await response.blob(), name);
}

/** Hands something to the browser's downloads. */
export function saveAs(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
