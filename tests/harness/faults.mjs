// Faults on command, in the JavaScript around the worker's wasm. Part of what runs in workerd only with the harness's option
// `faults`. To be imported before the worker, whose code makes its instances with the `WebAssembly.Instance` replaced here.

const CLOCK = /^__wbg_now_/;
/** Longer than anything waits. A promise that nothing could ever settle would be noticed by workerd and fail at once. */
const HANG_MS = 60_000;
const Instance = WebAssembly.Instance, RealDate = Date;
let trap = false, late = 0, hang = false;

const commands = {
  /** The next look at the clock kills the wasm instance, as want of memory or stack would: a RuntimeError comes out of it. */
  trap: () => { trap = true; },
  /** The worker's clock goes so many milliseconds behind the real one, by which alarms ring. */
  late: (ms) => { late = Number(ms); },
  /** Actors take commands and do not answer (`on`), or do again (`off`). */
  hang: (state) => { hang = state === "on"; },
};

/** Carries out a command; `false` when there is none of this name. */
export const command = (name, argument) => {
  commands[name]?.(argument);
  return name in commands;
};

/** Lets the commands of an actor hang. Its class stays itself: a subclass would not be made anew with a new wasm instance. */
export const mayHang = ({ prototype }) => {
  const { fetch } = prototype;
  prototype.fetch = function (request) {
    const answer = () => fetch.call(this, request);
    if (!hang || new URL(request.url).pathname !== "/command") return answer();
    return new Promise((done) => setTimeout(done, HANG_MS)).then(answer);
  };
};

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length > 0) super(...args);
    else super(RealDate.now() - late);
  }
  static now() { return RealDate.now() - late; }
};

WebAssembly.Instance = function (module, imports) {
  const functions = imports["./index_bg.js"];
  const clock = Object.keys(functions).find((name) => CLOCK.test(name));
  if (!clock) throw new Error("the worker does not look at the clock as it used to: nothing can be trapped");
  const now = functions[clock];
  functions[clock] = (...args) => {
    if (!trap) return now(...args);
    trap = false;
    throw new WebAssembly.RuntimeError("unreachable (the harness's trap)");
  };
  return new Instance(module, imports);
};
