// What a judge found: how much it looked at, and every refusal in words.

export class Report {
  constructor(title) {
    this.title = title;
    this.counts = new Map();
    this.refusals = [];
  }

  count(what, number = 1) {
    this.counts.set(what, (this.counts.get(what) ?? 0) + number);
  }

  refuse(message) {
    this.refusals.push(message);
  }

  /** Counts `what`, and refuses it with `message` unless `ok`. */
  check(what, ok, message) {
    this.count(what);
    if (!ok) this.refuse(typeof message === "function" ? message() : message);
  }

  /** Prints counts and refusals; true when nothing was refused. */
  print(log = console.log) {
    const counts = [...this.counts].map(([what, number]) => `${number} ${what}`).join(", ") || "nothing";
    log(`${this.title}: judged ${counts}; refused ${this.refusals.length}`);
    for (const refusal of this.refusals.slice(0, MAX_PRINTED)) log(`  refused: ${refusal}`);
    if (this.refusals.length > MAX_PRINTED) log(`  … and ${this.refusals.length - MAX_PRINTED} more`);
    return this.refusals.length === 0;
  }
}

const MAX_PRINTED = 40;
