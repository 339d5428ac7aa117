// The main module of the actors' script with the harness's option `faults`: the actors, and a route of the harness's.

import { command, mayHang } from "./faults.mjs";
import Worker, * as worker from "./index.js";

export * from "./index.js";
mayHang(worker.CallActor);
mayHang(worker.HubActor);

export default class extends Worker {
  fetch(request) {
    const [, harness, name, argument] = new URL(request.url).pathname.split("/");
    if (harness !== "harness") return super.fetch(request);
    return new Response(command(name, argument) ? "done" : "unknown");
  }
}
