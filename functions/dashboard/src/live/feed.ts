// The rules of the live stream, without a socket: what a message means for the place in the stream. Tested by itself.

import type { Schema } from "../api/client";

export type Envelope = Omit<Schema["LiveEnvelope"], "event"> & { event: LiveEvent };
export type LiveEvent =
  | { type: "connected"; attempt: number }
  | ({ type: "interaction" } & Schema["Interaction"])
  | { type: "caller_speaking" }
  | { type: "interrupted" }
  | { type: "model_lost" }
  | { type: "ended"; reason: string };

export type Taken =
  /** It is the next one. */
  | { kind: "event"; envelope: Envelope }
  /** It was seen before, or means nothing to us. */
  | { kind: "nothing" }
  /** The server is alive. */
  | { kind: "pong" }
  /** What was missed is gone: everything has to be loaded afresh. */
  | { kind: "resync" }
  /** Something between was not delivered: connect again from `last`. */
  | { kind: "gap" };

/** The longest wait between two tries, and the first one. */
const MAX_WAIT_MS = 30_000;
const FIRST_WAIT_MS = 500;

/** How long to wait before the next try: twice as long each time, and never all browsers at once (`random` from 0 to 1). */
export function wait(tries: number, random: number): number {
  const most = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 16));
  return most / 2 + (most / 2) * random;
}

/** The place in a tenant's stream. Every event is let through once and in order. */
export class Place {
  /** The newest number that was seen; `null` before the first. */
  last: number | null = null;

  take(text: string): Taken {
    if (text === "pong") return { kind: "pong" };
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return { kind: "nothing" };
    }
    if (typeof message !== "object" || message === null) return { kind: "nothing" };
    if ("type" in message && message.type === "resync") {
      this.last = null;
      return { kind: "resync" };
    }
    if (!isEnvelope(message)) return { kind: "nothing" };
    if (this.last !== null && message.seq <= this.last) return { kind: "nothing" };
    if (this.last !== null && message.seq > this.last + 1) return { kind: "gap" };
    this.last = message.seq;
    return { kind: "event", envelope: message };
  }
}

/** Whether it may have told somebody something: what a call came to and what was left with the assistant is stored before it is streamed. */
export function mayNotify(event: LiveEvent): boolean {
  return event.type === "ended" || (event.type === "interaction" && event.kind === "tool" && event.name === "take_message");
}

function isEnvelope(message: object): message is Envelope {
  const { seq, call_id: call, event } = message as Partial<Envelope>;
  return typeof seq === "number" && typeof call === "string" && typeof event === "object" && event !== null;
}
