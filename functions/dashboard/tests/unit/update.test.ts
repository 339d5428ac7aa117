// Which versions of the shell are offered, in a world of doubles.

import assert from "node:assert/strict";
import { test } from "node:test";

class Worker extends EventTarget {
  state = "installing";
  told: unknown[] = [];
  postMessage(message: unknown) {
    this.told.push(message);
  }
  becomes(state: string) {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

class Registration extends EventTarget {
  waiting = null;
  constructor(public installing: Worker | null) {
    super();
  }
  update = async () => undefined;
}

test("a version that was on its way before anybody watched is offered, and so is the next one", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  // The module asks for it when it is loaded. There is a worker already: the first of all is not offered.
  const serviceWorker = Object.assign(new EventTarget(), { controller: {} });
  Object.defineProperty(globalThis, "navigator", { value: { serviceWorker }, configurable: true });
  const { updates, watch } = await import("../../src/shell/update");
  const [one, two] = [new Worker(), new Worker()];
  const registration = new Registration(one);
  let told = 0;
  updates.watch(() => {
    told += 1;
  });
  watch(registration as unknown as ServiceWorkerRegistration);
  assert.equal(updates.ready(), false, "it is not whole yet");
  one.becomes("installed");
  assert.equal(updates.ready(), true);
  registration.installing = two;
  registration.dispatchEvent(new Event("updatefound"));
  two.becomes("installed");
  assert.equal(told, 2);
  updates.load();
  assert.deepEqual([one.told, two.told], [[], ["now"]]);
});
