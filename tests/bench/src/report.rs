//! Rows, the table, and the comparison with what is required.

use std::fmt::Write as _;

use serde::Serialize;

use crate::load::Outcome;
use crate::stats::Spread;
use crate::subjects::Subject;

/// Added latency that a call must stay under at p99, in milliseconds.
const LATENCY_BUDGET_MS: f64 = 20.0;
/// A generator that is later than this at p99 measures itself.
const GENERATOR_BUDGET_MS: f64 = 8.0;

/// One subject at one number of calls.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    subject: Subject,
    calls: u16,
    connected: u16,
    webhook_ms: Spread,
    to_model_ms: Spread,
    to_carrier_ms: Spread,
    barge_in_ms: Spread,
    truncation_ms: Spread,
    truncation_worst_ms: f64,
    caller_frames: u64,
    caller_lost: u64,
    early_frames: u64,
    early_lost: u64,
    model_blocks: u64,
    model_lost: u64,
    reordered: u64,
    duplicated: u64,
    after_clear: u64,
    cuts: u64,
    cuts_without_claim: u64,
    cpu_seconds_per_call_minute: f64,
    resident_mb: f64,
    generator_late_ms: Spread,
    generator_cpu_share: f64,
    errors: Vec<String>,
}

/// One run of one subject, in a process started afresh.
pub(crate) struct Round {
    pub(crate) outcome: Outcome,
    /// CPU of the subject, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Memory of the subject at the end.
    pub(crate) resident_mb: f64,
    /// CPU of the load, as a share of its core.
    pub(crate) generator_cpu_share: f64,
}

impl Round {
    /// Takes both rounds as one: the samples together, the CPU together, of the rest the worst.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.outcome.extend(other.outcome);
        Self {
            outcome: self.outcome,
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            resident_mb: self.resident_mb.max(other.resident_mb),
            generator_cpu_share: self.generator_cpu_share.max(other.generator_cpu_share),
        }
    }
}

impl Row {
    /// A row of `seconds` of measurement, over all rounds.
    pub(crate) fn new(subject: Subject, calls: u16, seconds: u64, round: Round) -> Self {
        let Round { outcome, cpu_seconds, resident_mb, generator_cpu_share } = round;
        let samples = outcome.samples;
        let call_minutes = f64::from(calls) * seconds as f64 / 60.0;
        let worst = samples.truncation.iter().fold(0.0_f64, |worst, error| worst.max(error.abs()));
        Self {
            subject,
            calls,
            connected: outcome.connected,
            webhook_ms: Spread::of(samples.webhook),
            to_model_ms: Spread::of(samples.to_model),
            to_carrier_ms: Spread::of(samples.to_carrier),
            barge_in_ms: Spread::of(samples.barge_in),
            truncation_ms: Spread::of(samples.truncation),
            truncation_worst_ms: worst,
            caller_frames: outcome.caller_frames,
            caller_lost: outcome.caller_lost,
            early_frames: outcome.early_frames,
            early_lost: outcome.early_lost,
            model_blocks: outcome.model_blocks,
            model_lost: outcome.model_lost,
            reordered: samples.reordered,
            duplicated: samples.duplicated,
            after_clear: samples.after_clear,
            cuts: outcome.cuts,
            cuts_without_claim: outcome.cuts_without_claim,
            cpu_seconds_per_call_minute: cpu_seconds / call_minutes,
            resident_mb,
            generator_late_ms: Spread::of(samples.lateness),
            generator_cpu_share,
            errors: samples.errors,
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// All calls were up, in time, and nothing was lost while the model was connected.
    pub(crate) fn good(&self) -> bool {
        self.connected == self.calls
            && self.to_model_ms.p99 < LATENCY_BUDGET_MS
            && self.to_carrier_ms.p99 < LATENCY_BUDGET_MS
            && self.caller_lost == self.early_lost
            && self.model_lost == 0
            && self.reordered + self.duplicated == 0
    }

    fn valid(&self) -> bool {
        self.generator_late_ms.p99 < GENERATOR_BUDGET_MS && self.generator_cpu_share < 0.9
    }
}

const HEAD: &str = "subject              calls   to model p50/p99/max  to carrier p50/p99/max  barge-in p50/p99  truncation p50/p99/worst   lost(early)  late  cpu-s/call-min  MB  verdict";

/// One row as text.
pub(crate) fn line(row: &Row) -> String {
    let verdict = match (row.valid(), row.good()) {
        (false, _) => "generator late",
        (true, true) => "ok",
        (true, false) => "fails",
    };
    let mut text = format!(
        "{:<20} {:>5}   {:>5.1}/{:>5.1}/{:>6.1}    {:>5.1}/{:>5.1}/{:>6.1}     {:>5.1}/{:>5.1}     {:>6.0}/{:>5.0}/{:>6.0}     {:>6}({})  {:>4}      {:>6.3}  {:>6.0}  {verdict}",
        row.subject.to_string(),
        row.calls,
        row.to_model_ms.p50,
        row.to_model_ms.p99,
        row.to_model_ms.max,
        row.to_carrier_ms.p50,
        row.to_carrier_ms.p99,
        row.to_carrier_ms.max,
        row.barge_in_ms.p50,
        row.barge_in_ms.p99,
        row.truncation_ms.p50,
        row.truncation_ms.p99,
        row.truncation_worst_ms,
        row.caller_lost + row.model_lost,
        row.early_lost,
        row.after_clear,
        row.cpu_seconds_per_call_minute,
        row.resident_mb,
    );
    for error in &row.errors {
        text.push_str("\n    ! ");
        text.push_str(error);
    }
    if row.connected < row.calls {
        let _ = write!(text, "\n    ! only {} of {} calls came up", row.connected, row.calls);
    }
    text
}

/// All rows, and the largest number of calls each subject carried.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!("{HEAD}\n");
    for row in rows {
        text.push_str(&line(row));
        text.push('\n');
    }
    for subject in Subject::ALL {
        if rows.iter().any(|row| row.subject == subject) {
            let _ = writeln!(text, "largest N of {subject}: {}", largest(rows, subject));
        }
    }
    text
}

fn largest(rows: &[Row], subject: Subject) -> u16 {
    rows.iter().filter(|row| row.subject == subject && row.good()).map(|row| row.calls).max().unwrap_or(0)
}

/// Holds VoiceCore with everything on against the JavaScript object of the same run. Prints a line per demand.
pub(crate) fn check(rows: &[Row]) -> bool {
    let at = |subject, calls| rows.iter().find(|row| row.subject == subject && row.calls == calls);
    let (Some(ours), Some(theirs)) = (at(Subject::Voicecore, 100), at(Subject::JsObject, 100)) else {
        println!("FAIL  both voicecore and js-object must be measured at 100 calls");
        return false;
    };
    let (n, floor) = (largest(rows, Subject::Voicecore), largest(rows, Subject::JsObject));
    let cpu = ours.cpu_seconds_per_call_minute / theirs.cpu_seconds_per_call_minute;
    let lost: u64 = rows
        .iter()
        .filter(|row| row.subject == Subject::Voicecore && row.good())
        .map(|row| row.caller_lost + row.model_lost + row.early_lost)
        .sum();
    let demands = [
        (
            // Where both passed nothing, nothing was compared.
            n > 0 && f64::from(n) >= 0.9 * f64::from(floor),
            format!("largest N is {n}, the JavaScript object's {floor} (at least 0.9 of it)"),
        ),
        (cpu <= 1.3, format!("CPU is {cpu:.2} of the JavaScript object's at 100 calls (at most 1.3)")),
        (
            ours.barge_in_ms.p99 <= theirs.barge_in_ms.p99,
            format!(
                "barge-in p99 {:.1} ms, the object's {:.1} ms",
                ours.barge_in_ms.p99, theirs.barge_in_ms.p99
            ),
        ),
        (
            ours.truncation_worst_ms <= 30.0,
            format!("truncation wrong by {:.0} ms at most (30)", ours.truncation_worst_ms),
        ),
        (lost == 0, format!("{lost} frames lost, the ones before the model was connected included")),
    ];
    for (met, demand) in &demands {
        println!("{}  {demand}", if *met { "PASS" } else { "FAIL" });
    }
    demands.iter().all(|(met, _)| *met)
}
