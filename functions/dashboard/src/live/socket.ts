// One WebSocket for the whole application, opened with a ticket that works once.

import { answer, api, ApiFailure, lookedInto, refresh } from "../api/client";
import { type Envelope, Place, wait } from "./feed";

export type Status = "connecting" | "open" | "waiting" | "refused" | "unsupported";

type Listener = {
  event: (envelope: Envelope) => void;
  /** Everything has to be loaded afresh: at the beginning, and when too much was missed. */
  resync: () => void;
};

/** Asked whether it is alive this often, given this long to answer. */
const HEARTBEAT_MS = 20_000;
const PONG_WITHIN_MS = 10_000;
/** The codes of `WebSocket.close` that the hub uses: who opened it may not listen any more. */
const ACCESS_ENDED = 4401;

/** Opened while somebody listens. */
class LiveSocket {
  status: Status = "connecting";
  private place = new Place();
  private socket: WebSocket | null = null;
  private tries = 0;
  /** The installation has no stream, for as long as the page lives: asking again would bring none. */
  private none = false;
  private generation = 0;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private listeners = new Set<Listener>();
  private watchers = new Set<() => void>();

  /** Calls back with everything that happens from now on. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.begin();
    else if (this.status === "open") listener.resync();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.end();
    };
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private begin(): void {
    if (this.none) return this.set("unsupported");
    this.place = new Place();
    this.tries = 0;
    window.addEventListener("online", this.retryNow);
    void this.connect();
  }

  private end(): void {
    window.removeEventListener("online", this.retryNow);
    this.drop();
    this.set("connecting");
  }

  private retryNow = (): void => {
    if (this.status === "waiting") void this.connect();
  };

  private drop(): void {
    this.generation += 1;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.socket?.close();
    this.socket = null;
  }

  private set(status: Status): void {
    this.status = status;
    for (const watcher of this.watchers) watcher();
  }

  private async connect(): Promise<void> {
    this.drop();
    const mine = this.generation;
    this.set("connecting");
    try {
      const { ticket } = await answer(api.POST("/api/v1/live/tickets"));
      if (mine === this.generation) this.open(ticket, mine);
    } catch (error) {
      if (mine !== this.generation) return;
      const code = error instanceof ApiFailure ? error.code : "internal";
      if (code === "unsupported") {
        this.none = true;
        this.set("unsupported");
      } else if (code === "forbidden" || code === "unauthenticated") this.set("refused");
      else this.again();
    }
  }

  private open(ticket: string, mine: number): void {
    const url = new URL("/api/v1/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("ticket", ticket);
    const fresh = this.place.last === null;
    if (this.place.last !== null) url.searchParams.set("after", String(this.place.last));
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      if (mine !== this.generation) return;
      this.tries = 0;
      this.set("open");
      this.heartbeat(socket);
      if (fresh) this.resync();
    };
    socket.onmessage = ({ data }) => {
      if (mine === this.generation) this.take(String(data));
    };
    socket.onclose = ({ code }) => {
      if (mine === this.generation) void this.closed(code);
    };
  }

  private async closed(code: number): Promise<void> {
    // What looks into a tenant cannot be refreshed: there, asking for the next ticket tells whether it has ended.
    if (code !== ACCESS_ENDED || lookedInto() !== null) return this.again();
    // The session may have ended, or only the right to listen: the next request tells which.
    const signedIn = await refresh().catch(() => false);
    if (signedIn) this.again();
    else this.set("refused");
  }

  private again(): void {
    this.drop();
    this.set("waiting");
    this.timers.push(setTimeout(() => void this.connect(), wait(this.tries, Math.random())));
    this.tries += 1;
  }

  private heartbeat(socket: WebSocket): void {
    const ask = setTimeout(() => {
      socket.send("ping");
      this.timers.push(setTimeout(() => this.again(), PONG_WITHIN_MS));
    }, HEARTBEAT_MS);
    this.timers = [ask];
  }

  private take(text: string): void {
    const taken = this.place.take(text);
    if (taken.kind === "event") for (const { event } of this.listeners) event(taken.envelope);
    else if (taken.kind === "resync") this.resync();
    else if (taken.kind === "gap") void this.connect();
    else if (taken.kind === "pong" && this.socket !== null) {
      for (const timer of this.timers) clearTimeout(timer);
      this.heartbeat(this.socket);
    }
  }

  private resync(): void {
    for (const { resync } of this.listeners) resync();
  }
}

export const live = new LiveSocket();
