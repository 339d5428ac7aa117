//! Whether a call went as its scenario expects.

use super::spec::Scenario;
use crate::twilio::{CallReport, Speaker};

impl Scenario {
    /// What did not go as expected, for a human; empty when all is well.
    pub fn failures(&self, report: &CallReport) -> Vec<String> {
        let expect = &self.expect;
        let mut failures = Vec::new();
        let mut check = |holds: bool, failure: String| {
            if !holds {
                failures.push(failure);
            }
        };
        if let Some(by) = expect.ended_by {
            check(report.ended_by == by, format!("ended by {:?}, not by {by:?}", report.ended_by));
        }
        let heard = heard_words(report);
        for words in &expect.hears {
            check(heard.contains(&normal(words)), format!("the caller never heard “{words}”"));
        }
        for tool in &expect.tools {
            check(report.tools.contains(tool), format!("the tool {tool} was not called"));
        }
        if let Some(wanted) = expect.interrupted_turns {
            let cut = report.turns.iter().filter(|t| t.speaker == Speaker::Assistant && t.cut).count();
            check(cut >= wanted as usize, format!("{cut} interrupted turns, not {wanted}"));
        }
        if let Some(limit) = expect.max_wait_ms {
            let wait = report.max_wait_ms;
            check(wait <= limit, format!("the caller waited {wait} ms for a sound, more than {limit} ms"));
        }
        if let Some(wanted) = expect.dialled {
            check(report.dialled == Some(wanted), format!("dialling: {:?}, not {wanted:?}", report.dialled));
        }
        if let Some(wanted) = expect.streams {
            let streams = report.streams.len();
            check(streams >= wanted as usize, format!("{streams} media streams, not {wanted}"));
        }
        if let Some(wanted) = expect.recorded {
            check(report.recordings.is_empty() != wanted, format!("{} recordings", report.recordings.len()));
        }
        if let Some(wanted) = expect.answers {
            let answers = report.latencies().len();
            check(answers >= wanted as usize, format!("{answers} answers, not {wanted}"));
        }
        let kill = self.platform.kill_app_after_speech_ms.is_some();
        check(!kill || report.killed, "the moment to kill the product's host never came".into());
        failures
    }
}

/// Everything the caller heard, in one line of lower-case words. When the product's host was killed, what its death cut
/// off counts as heard.
fn heard_words(report: &CallReport) -> String {
    let heard = report.turns.iter().filter(|turn| turn.speaker != Speaker::Caller);
    let text = heard.map(|turn| if report.killed { turn.whole_text.as_str() } else { turn.text.as_str() });
    normal(&text.collect::<Vec<_>>().join(" "))
}

/// Words only: lower-case letters and digits, one space between.
pub(super) fn normal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;
    use crate::twilio::CallReport;

    /// A report as it comes over the control API.
    fn report(turns: &str) -> CallReport {
        let text = format!(
            r#"{{"call_sid":"CA1","scenario":"n","status":"completed","ended_by":"app","duration_ms":9000,
            "turns":[{turns}],"max_silence_ms":900,"max_wait_ms":800,"twiml":[],"streams":[],"truncations":[],
            "tools":["end_call"],"dialled":null,"recordings":[],"killed":false,"jitter_ms":0,"late_ms":0,"violations":[],"failures":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn turn(speaker: &str, text: &str, cut: bool) -> String {
        format!(
            r#"{{"speaker":"{speaker}","text":"{text}","whole_text":"{text}","start_ms":0,"end_ms":1,"heard_ms":1,
            "total_ms":1,"cut":{cut},"item":null,"latency_ms":null,"delivered":true,"damaged_frames":0,"repeated_frames":0}}"#
        )
    }

    fn failures(expect: &str, report: &CallReport) -> Vec<String> {
        let text = format!("name='n'\nabout='a'\n[expect]\n{expect}");
        Scenario::from_toml(&text).unwrap().failures(report)
    }

    #[test]
    fn a_call_as_expected_has_no_failures() {
        let report = report(&turn("assistant", "A table, for TWO.", true));
        let expect = "ended_by='app'\nhears=['table for two']\ntools=['end_call']\ninterrupted_turns=1
            max_wait_ms=4000\nrecorded=false";
        assert_eq!(failures(expect, &report), Vec::<String>::new());
    }

    #[test]
    fn every_expectation_can_fail() {
        let report = report(&turn("caller", "a table for two", false));
        for expect in [
            "ended_by='caller'",
            "hears=['table']",
            "tools=['transfer']",
            "interrupted_turns=1",
            "max_wait_ms=700",
            "dialled='answered'",
            "streams=1",
            "recorded=true",
            "answers=1",
        ] {
            assert_eq!(failures(expect, &report).len(), 1, "{expect}");
        }
    }
}
