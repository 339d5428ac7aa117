// The manifest for SpinKube (functions/spin/spinapp.yaml) by the fields that the SpinApp resource has: `config/crd/bases/core.spinkube.dev_spinapps.yaml` of
// spin-operator (v1alpha1, April 2026, 943f5b1), read for what is allowed, what is required, and of which type. A cluster drops fields that it does not know without
// a word, so an unknown one is refused here. And what its parts say of each other must agree.
//
//   node tests/oracles/spinapp.mjs [FILE]

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadAll } from "js-yaml";
import { Report } from "./report.mjs";

const MANIFEST = fileURLToPath(new URL("../../functions/spin/spinapp.yaml", import.meta.url));

// A field is a type's name, a list of one shape, or an object of fields; `!` behind a name: it is required.
const NAMED_KEY = { "key!": "string", name: "string", optional: "boolean" };
const VALUE_FROM = { secretKeyRef: NAMED_KEY, configMapKeyRef: NAMED_KEY, fieldRef: { apiVersion: "string", "fieldPath!": "string" } };
const STORES = [{ "name!": "string", "type!": "string", options: [{ "name!": "string", value: "string", valueFrom: { secretKeyRef: NAMED_KEY, configMapKeyRef: NAMED_KEY } }] }];
const PROBE = {
  httpGet: { "path!": "string", httpHeaders: [{ "name!": "string", "value!": "string" }] },
  failureThreshold: "integer",
  initialDelaySeconds: "integer",
  periodSeconds: "integer",
  successThreshold: "integer",
  timeoutSeconds: "integer",
};
const SPEC = {
  "image!": "string",
  "executor!": "string",
  enableAutoscaling: "boolean",
  replicas: "integer",
  serviceAccountName: "string",
  components: ["string"],
  imagePullSecrets: [{ name: "string" }],
  checks: { liveness: PROBE, readiness: PROBE },
  resources: { limits: "quantities", requests: "quantities" },
  variables: [{ "name!": "string", value: "string", valueFrom: VALUE_FROM }],
  runtimeConfig: { keyValueStores: STORES, sqliteDatabases: STORES, loadFromSecret: "string" },
};
const QUANTITY = /^\d+(?:\.\d+)?(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?$/u;
const TYPES = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  quantities: (value) => isObject(value) && Object.values(value).every((one) => QUANTITY.test(String(one))),
};
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function judgeFields(report, shape, value, path) {
  if (typeof shape === "string") return report.check("fields", TYPES[shape](value), `${path} is no ${shape}: ${JSON.stringify(value)}`);
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return report.refuse(`${path} is no list`);
    return value.forEach((one, at) => judgeFields(report, shape[0], one, `${path}[${at}]`));
  }
  if (!isObject(value)) return report.refuse(`${path} is no object`);
  const fields = new Map(Object.entries(shape).map(([name, inner]) => [name.replace("!", ""), { inner, required: name.endsWith("!") }]));
  for (const name of Object.keys(value)) if (!fields.has(name)) report.refuse(`${path}.${name} is no field of a SpinApp`);
  for (const [name, { inner, required }] of fields) {
    if (name in value) judgeFields(report, inner, value[name], `${path}.${name}`);
    else if (required) report.refuse(`${path}.${name} is missing`);
  }
}

/** Judges the text of a manifest. */
export function judgeSpinApp(report, text) {
  const documents = loadAll(text).filter(isObject);
  const one = (kind) => documents.filter((document) => document.kind === kind);
  const [[app, ...more], [scaler], [timer]] = [one("SpinApp"), one("HorizontalPodAutoscaler"), one("CronJob")];
  if (app === undefined || more.length > 0) return report.refuse("there is not one SpinApp");
  report.check("resources", app.apiVersion === "core.spinkube.dev/v1alpha1", `apiVersion: ${app.apiVersion}`);
  judgeFields(report, SPEC, app.spec, "spec");
  const { enableAutoscaling = false, replicas, variables = [] } = app.spec ?? {};
  // The operator's own rule: who counts the pods is one of the two.
  report.check("rules", enableAutoscaling !== replicas > 0, "either enableAutoscaling or replicas");
  report.check("rules", !enableAutoscaling || scaler?.spec?.scaleTargetRef?.name === app.metadata?.name, "what scales is not this application");
  report.check("rules", !enableAutoscaling || Object.keys(app.spec.resources?.requests ?? {}).includes("cpu"), "a share of what is requested cannot be counted");
  const names = variables.map(({ name }) => name);
  report.check("rules", new Set(names).size === names.length, "a variable is there twice");
  for (const { name, value, valueFrom } of variables) report.check("rules", (value === undefined) !== (valueFrom === undefined), `${name} has not one value`);
  report.check("rules", JSON.stringify(timer ?? {}).includes(`http://${app.metadata?.name}.`), "the timer does not ask this application");
}

/** What must be refused: the manifest with one thing wrong. */
const FAULTS = {
  "an unknown field": ["  executor: containerd", "  executioner: none\n  executor: containerd"],
  "a required field that is missing": [/ {2}image: .*\n/u, ""],
  "a probe of another kind": ["      httpGet:\n        path: /health", "      exec:\n        command: [\"true\"]"],
  "a word where a number belongs": ["periodSeconds: 10", "periodSeconds: ten"],
  "a quantity that is none": ["memory: 512Mi", "memory: much"],
  "both who count": ["  enableAutoscaling: true", "  enableAutoscaling: true\n  replicas: 2"],
  "neither": ["  enableAutoscaling: true", "  enableAutoscaling: false"],
  "a secret without a key": ["key: jwt-secret", "optional: false"],
  "another application that is scaled": ["    kind: Deployment\n    name: voicecore", "    kind: Deployment\n    name: other"],
  "a version of the resource that is not there": ["core.spinkube.dev/v1alpha1", "core.spinkube.dev/v1"],
};

/** The manifest as it is, and that each fault of it would be seen. */
export function judgeManifest(judges, report, file = MANIFEST) {
  const text = readFileSync(file, "utf8");
  judgeSpinApp(report, text);
  for (const [fault, [from, to]] of Object.entries(FAULTS)) {
    const wrong = text.replace(from, to);
    if (wrong === text) judges.refuse(`${fault}: the manifest has no place for it`);
    const said = new Report("");
    judgeSpinApp(said, wrong);
    judges.check("faults of the SpinApp", said.refusals.length > 0, `passed: ${fault}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reports = [new Report("judge"), new Report("SpinApp")];
  judgeManifest(...reports, process.argv[2]);
  process.exitCode = reports.map((report) => report.print()).every(Boolean) ? 0 : 1;
}
