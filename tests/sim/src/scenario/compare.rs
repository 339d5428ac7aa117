//! Whether the product's transcript of a call says what was said.

use serde::{Deserialize, Serialize};

use super::check::normal;
use crate::twilio::{CallReport, Speaker, Turn};

/// An interrupted turn may hold so many words more than were heard.
const WORDS_TOO_MANY: usize = 1;
/// An interrupted turn may lack so many of the words that were heard.
const WORDS_MISSING: usize = 2;

/// An entry of the product's transcript, as `GET /api/v1/calls/{id}/interactions` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u32,
    /// `caller`, `assistant` or `system`.
    pub speaker: String,
    /// `speech`, `dtmf`, `tool` or `notice`.
    pub kind: String,
    /// Of a tool: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was said.
    pub text: String,
    /// Interrupted after so many milliseconds.
    pub cut_at_ms: Option<u64>,
    /// The text was cut by an estimate.
    pub estimated: bool,
}

/// What is wrong with a transcript, for a human; empty when it says what was said.
///
/// The caller's turns must be there word for word, in order; of a turn that was broken off or did not reach the product
/// whole, any part may be. The assistant's turns must be there as they were heard: whole ones word for word, interrupted
/// ones cut with at most one word too many and two missing, marked as estimated and with the milliseconds heard. Every tool
/// that the model called must be there, in order, and none that it did not call; a process that was killed may not have heard
/// of its last one.
pub fn transcript_problems(report: &CallReport, entries: &[Entry]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if entry.seq as usize != index + 1 {
            problems.push(format!("entry {} has number {}", index + 1, entry.seq));
        }
    }
    let spoken = |who: &'static str| {
        let of = move |entry: &&Entry| {
            entry.speaker == who && entry.kind == "speech" && !normal(&entry.text).is_empty()
        };
        entries.iter().filter(of).collect::<Vec<_>>()
    };
    let turns = |who| report.turns.iter().filter(move |turn: &&Turn| turn.speaker == who);
    caller(turns(Speaker::Caller), &spoken("caller"), &mut problems);
    assistant(turns(Speaker::Assistant), &spoken("assistant"), report, &mut problems);
    tools(report, entries, &mut problems);
    problems
}

/// What is wrong with the transcript of a call that was held turn by turn; empty when it says what was said.
///
/// The caller's turns must be there as [`transcript_problems`] says. Every turn of the assistant's that is there must have
/// been heard, or begun to be heard, from Twilio's voice, in order; and what that voice said to its end must be there, but
/// for what only bridges a wait.
pub fn turn_based_problems(report: &CallReport, entries: &[Entry], fillers: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    let spoken = |who: &'static str| {
        entries.iter().filter(move |entry| entry.speaker == who && entry.kind == "speech").collect::<Vec<_>>()
    };
    caller(
        report.turns.iter().filter(|turn| turn.speaker == Speaker::Caller),
        &spoken("caller"),
        &mut problems,
    );
    let fillers: Vec<String> = fillers.iter().map(|filler| normal(filler)).collect();
    let mut entries = spoken("assistant").into_iter().peekable();
    for turn in report.turns.iter().filter(|turn| turn.speaker == Speaker::Twilio) {
        let whole = normal(&turn.whole_text);
        if fillers.contains(&whole) {
            continue;
        }
        // One turn of the voice may be several of the assistant's: what it said before it used a tool, and after.
        let mut rest = whole.as_str();
        while let Some(entry) = entries.peek() {
            let Some(after) = rest.strip_prefix(normal(&entry.text).as_str()) else { break };
            rest = after.trim_start();
            entries.next();
        }
        if rest == whole && !turn.cut {
            problems.push(format!(
                "the caller heard “{}”, the transcript goes on with {}",
                turn.whole_text,
                next(entries.peek().as_ref())
            ));
        }
    }
    problems.extend(entries.map(|entry| format!("the caller never heard “{}”", entry.text)));
    problems
}

/// How a model hangs up. It may do so at the end of any call that it ends.
const HANG_UP: &str = "end_call";

/// What is wrong with the tools in the transcript of a turn-based call: each that the scenario wants must have run once, in that order,
/// and no other, but for a last one that ends the call.
#[must_use]
pub fn turn_based_tools_problem(wanted: &[String], entries: &[Entry]) -> Option<String> {
    let tools = entries.iter().filter(|entry| entry.kind == "tool");
    let ran: Vec<&str> = tools.map(|entry| entry.name.as_deref().unwrap_or_default()).collect();
    let as_wanted =
        ran == wanted || ran.split_last().is_some_and(|(last, rest)| *last == HANG_UP && rest == wanted);
    (!as_wanted).then(|| format!("the tools {ran:?} have run, not {wanted:?}"))
}

fn tools(report: &CallReport, entries: &[Entry], problems: &mut Vec<String>) {
    let stored: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.kind == "tool")
        .map(|entry| entry.name.as_deref().unwrap_or_default())
        .collect();
    let mut called = report.tools.iter();
    let all_called = stored.iter().all(|name| called.any(|called| called == name));
    if !all_called || !report.killed && stored.len() < report.tools.len() {
        problems.push(format!("the model called {:?}, the transcript has {stored:?}", report.tools));
    }
}

fn caller<'a>(turns: impl Iterator<Item = &'a Turn>, entries: &[&Entry], problems: &mut Vec<String>) {
    let mut entries = entries.iter().peekable();
    for turn in turns {
        let said = normal(&turn.whole_text);
        let whole = turn.delivered && !turn.cut && turn.damaged_frames == 0;
        if whole {
            match entries.next_if(|entry| normal(&entry.text) == said) {
                Some(_) => {}
                None => problems.push(format!(
                    "the caller said “{}”, the transcript goes on with {}",
                    turn.whole_text,
                    next(entries.peek())
                )),
            }
        } else {
            while entries.next_if(|entry| is_part(&normal(&entry.text), &said)).is_some() {}
        }
    }
    problems.extend(entries.map(|entry| format!("the caller never said “{}”", entry.text)));
}

fn assistant<'a>(
    turns: impl Iterator<Item = &'a Turn>,
    entries: &[&Entry],
    report: &CallReport,
    problems: &mut Vec<String>,
) {
    // Of a message of which nothing was heard one word may be there: that is one word too many.
    let unheard = |entry: &&&Entry| entry.cut_at_ms == Some(0) && words(&entry.text) <= WORDS_TOO_MANY;
    let mut entries = entries.iter().filter(|entry| !unheard(entry)).peekable();
    for turn in turns {
        if !turn.cut {
            if entries.next_if(|entry| normal(&entry.text) == normal(&turn.whole_text)).is_none() {
                problems.push(format!(
                    "the caller heard “{}”, the transcript goes on with {}",
                    turn.whole_text,
                    next(entries.peek())
                ));
            }
            continue;
        }
        let (whole, heard) = (normal(&turn.whole_text), words(&turn.text));
        let begins = |entry: &&&Entry| format!("{whole} ").starts_with(&format!("{} ", normal(&entry.text)));
        match entries.next_if(begins) {
            Some(entry) => cut(turn, entry, report, problems),
            None if heard <= WORDS_MISSING => {}
            None => problems.push(format!(
                "the caller heard “{}” of “{}”, the transcript goes on with {}",
                turn.text,
                turn.whole_text,
                next(entries.peek())
            )),
        }
    }
    problems.extend(entries.map(|entry| format!("the caller never heard “{}”", entry.text)));
}

/// The length and the marks of an interrupted turn.
fn cut(turn: &Turn, entry: &Entry, report: &CallReport, problems: &mut Vec<String>) {
    let (heard, kept) = (words(&turn.text), words(&entry.text));
    if kept > heard + WORDS_TOO_MANY || kept + WORDS_MISSING < heard {
        problems.push(format!("the caller heard “{}”, the transcript has “{}”", turn.text, entry.text));
    }
    let stored = normal(&entry.text) == normal(&turn.whole_text);
    if !stored && !entry.estimated {
        problems.push(format!("“{}” is cut but not marked as estimated", entry.text));
    }
    let claimed = report.truncations.iter().any(|truncation| Some(&truncation.item) == turn.item.as_ref());
    match entry.cut_at_ms {
        Some(ms) if claimed && ms.abs_diff(turn.heard_ms) > report.claim_tolerance_ms() => {
            problems.push(format!("“{}” was heard for {} ms, not for {ms}", entry.text, turn.heard_ms));
        }
        None if !stored => problems.push(format!("“{}” is cut without cut_at_ms", entry.text)),
        _ => {}
    }
}

fn next(entry: Option<&&&Entry>) -> String {
    entry.map_or_else(|| "nothing".to_owned(), |entry| format!("“{}”", entry.text))
}

fn words(text: &str) -> usize {
    normal(text).split_whitespace().count()
}

/// Some of the words of `whole`, in their order.
fn is_part(part: &str, whole: &str) -> bool {
    let mut whole = whole.split_whitespace();
    part.split_whitespace().all(|word| whole.any(|other| other == word))
}

#[cfg(test)]
mod tests {
    use super::{Entry, transcript_problems, turn_based_tools_problem};
    use crate::scenario::EndedBy;
    use crate::twilio::{CallReport, Speaker, Truncation, Turn};

    fn turn(speaker: Speaker, text: &str, whole_text: &str) -> Turn {
        Turn {
            speaker,
            text: text.into(),
            whole_text: whole_text.into(),
            start_ms: 0,
            end_ms: 1_000,
            heard_ms: 1_000,
            total_ms: 3_000,
            cut: text != whole_text,
            item: Some("item_1".into()),
            latency_ms: None,
            delivered: true,
            damaged_frames: 0,
            repeated_frames: 0,
        }
    }

    #[test]
    fn tools_that_ran_twice_or_in_another_order_are_a_problem() {
        let ran = |names: &[&str], wanted: &[&str]| {
            let tool = |name: &&str| Entry {
                seq: 1,
                speaker: "system".into(),
                kind: "tool".into(),
                name: Some((*name).to_owned()),
                text: "{}".into(),
                cut_at_ms: None,
                estimated: false,
            };
            let entries: Vec<_> = names.iter().map(tool).collect();
            let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
            turn_based_tools_problem(&wanted, &entries).is_none()
        };
        let wanted = &["take_message", "end_call"];
        assert!(ran(wanted, wanted));
        assert!(
            ran(&["end_call"], &[]) && ran(&[], &[]) && ran(&["take_message", "end_call"], &["take_message"])
        );
        for wrong in [
            &["end_call", "take_message"][..],
            &["take_message"],
            &["take_message", "take_message", "end_call"],
            &["take_message", "transfer", "end_call"],
            &["take_message", "end_call", "take_message"],
        ] {
            assert!(!ran(wrong, wanted), "{wrong:?}");
        }
    }

    fn report(turns: Vec<Turn>) -> CallReport {
        CallReport {
            call_sid: "CA1".into(),
            scenario: "n".into(),
            status: "completed".into(),
            ended_by: EndedBy::App,
            duration_ms: 9_000,
            turns,
            max_silence_ms: 0,
            max_wait_ms: 0,
            twiml: vec![],
            streams: vec![],
            truncations: vec![Truncation { item: "item_1".into(), heard_ms: 1_000, claimed_ms: 1_010 }],
            tools: vec![],
            dialled: None,
            recordings: vec![],
            killed: false,
            jitter_ms: 0,
            late_ms: 0,
            violations: vec![],
            failures: vec![],
            heard: vec![],
        }
    }

    fn entry(seq: u32, speaker: &str, text: &str, cut_at_ms: Option<u64>) -> Entry {
        Entry {
            seq,
            speaker: speaker.into(),
            kind: "speech".into(),
            name: None,
            text: text.into(),
            cut_at_ms,
            estimated: cut_at_ms.is_some(),
        }
    }

    #[test]
    fn what_was_said_is_what_is_stored() {
        let said = [
            turn(Speaker::Assistant, "Hello there.", "Hello there."),
            turn(Speaker::Caller, "A table!", "A table!"),
        ];
        let right = [entry(1, "assistant", "hello there", None), entry(2, "caller", "A table", None)];
        assert_eq!(transcript_problems(&report(said.to_vec()), &right), Vec::<String>::new());
        let missing = &right[..1];
        assert_eq!(transcript_problems(&report(said.to_vec()), missing).len(), 1);
        let mut wrong = right.clone();
        wrong[1].text = "A cable".into();
        assert_eq!(transcript_problems(&report(said.to_vec()), &wrong).len(), 2);
        assert_eq!(transcript_problems(&report(said[..1].to_vec()), &right).len(), 1);
    }

    #[test]
    fn tools_that_were_called_are_stored_in_order() {
        let tool = |seq, name: &str| Entry {
            kind: "tool".into(),
            name: Some(name.into()),
            ..entry(seq, "system", "{}", None)
        };
        let mut called = report(vec![]);
        called.tools = vec!["take_message".into(), "end_call".into()];
        let both = [tool(1, "take_message"), tool(2, "end_call")];
        for killed in [false, true] {
            called.killed = killed;
            assert_eq!(transcript_problems(&called, &both), Vec::<String>::new());
            let swapped = [tool(1, "end_call"), tool(2, "take_message")];
            let twice = [tool(1, "take_message"), tool(2, "take_message"), tool(3, "end_call")];
            assert_eq!(transcript_problems(&called, &swapped).len(), 1);
            assert_eq!(transcript_problems(&called, &twice).len(), 1);
            assert_eq!(transcript_problems(&called, &both[..1]).is_empty(), killed);
        }
    }

    #[test]
    fn an_interrupted_turn_may_be_off_by_one_word_or_two() {
        let said =
            || report(vec![turn(Speaker::Assistant, "one two three four", "one two three four five six")]);
        for (text, right) in [
            ("one two", true),
            ("one two three four", true),
            ("one two three four five", true),
            ("one", false),
            ("one two three four five six", false),
            ("two three four", false),
        ] {
            let problems = transcript_problems(&said(), &[entry(1, "assistant", text, Some(1_010))]);
            assert_eq!(problems.is_empty(), right, "{text}: {problems:?}");
        }
        let unmarked = entry(1, "assistant", "one two three", None);
        assert_eq!(transcript_problems(&said(), &[unmarked]).len(), 2);
        let off = entry(1, "assistant", "one two three", Some(1_100));
        assert_eq!(transcript_problems(&said(), &[off]).len(), 1);
    }

    #[test]
    fn of_a_broken_turn_of_the_caller_any_part_may_be_there() {
        let mut broken = turn(Speaker::Caller, "a table for", "a table for two");
        broken.delivered = false;
        for stored in [vec![], vec![entry(1, "caller", "table for", None)]] {
            assert_eq!(transcript_problems(&report(vec![broken.clone()]), &stored), Vec::<String>::new());
        }
        let invented = [entry(1, "caller", "a chair", None)];
        assert_eq!(transcript_problems(&report(vec![broken]), &invented).len(), 1);
    }
}
