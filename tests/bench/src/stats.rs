//! Samples and what is said of them.

use serde::Serialize;

/// p50, p99 and largest of some samples, in the unit of the samples.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Sorts `samples`; all zero when there are none.
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let pick = |share: f64| {
            let last = samples.len().saturating_sub(1) as f64;
            samples.get((last * share).round() as usize).copied().unwrap_or(0.0)
        };
        Self { count: samples.len(), p50: pick(0.5), p99: pick(0.99), max: pick(1.0) }
    }
}

/// What one run collects. Latencies in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) to_model: Vec<f64>,
    pub(crate) to_carrier: Vec<f64>,
    pub(crate) barge_in: Vec<f64>,
    pub(crate) truncation: Vec<f64>,
    pub(crate) lateness: Vec<f64>,
    pub(crate) webhook: Vec<f64>,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    pub(crate) after_clear: u64,
    pub(crate) errors: Vec<String>,
}

impl Samples {
    /// Notes a failure; the first few are enough.
    pub(crate) fn error(&mut self, text: String) {
        const KEPT: usize = 20;
        if self.errors.len() < KEPT {
            self.errors.push(text);
        }
    }

    /// Adds what another round collected.
    pub(crate) fn extend(&mut self, other: Self) {
        self.to_model.extend(other.to_model);
        self.to_carrier.extend(other.to_carrier);
        self.barge_in.extend(other.barge_in);
        self.truncation.extend(other.truncation);
        self.lateness.extend(other.lateness);
        self.webhook.extend(other.webhook);
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.after_clear += other.after_clear;
        other.errors.into_iter().for_each(|error| self.error(error));
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn picks_by_rank() {
        let spread = Spread::of((1..=100).map(f64::from).collect());
        assert_eq!((spread.p50, spread.p99, spread.max, spread.count), (51.0, 99.0, 100.0, 100));
        assert_eq!(Spread::of(vec![]).count, 0);
    }
}
