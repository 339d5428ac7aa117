// Makes the worker's wasm instance die on command, as it would for want of memory or stack: Rust asks for the time, and a
// RuntimeError comes out of that call. Part of what runs in workerd only with the harness's option `trap`.
//
// To be imported before the worker, whose code makes its instances with the `WebAssembly.Instance` that is replaced here.

const CLOCK = /^__wbg_now_/;
const Instance = WebAssembly.Instance;
let armed = false;

/** The next look at the clock kills the instance. */
export const arm = () => { armed = true; };

WebAssembly.Instance = function (module, imports) {
  const functions = imports["./index_bg.js"];
  const clock = Object.keys(functions).find((name) => CLOCK.test(name));
  if (!clock) throw new Error("the worker does not look at the clock as it used to: nothing can be trapped");
  const now = functions[clock];
  functions[clock] = (...args) => {
    if (!armed) return now(...args);
    armed = false;
    throw new WebAssembly.RuntimeError("unreachable (the harness's trap)");
  };
  return new Instance(module, imports);
};
