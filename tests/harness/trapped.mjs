// The worker's main module with the harness's option `trap`: the worker, and a route of the harness's that arms the trap.

import { arm } from "./trap.mjs";
import Worker from "./index.js";

export * from "./index.js";

export default class extends Worker {
  fetch(request) {
    if (new URL(request.url).pathname !== "/harness/trap") return super.fetch(request);
    arm();
    return new Response("armed");
  }
}
