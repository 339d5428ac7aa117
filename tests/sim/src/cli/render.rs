//! The conversation as a human reads it.

use std::fmt::Write as _;

use crate::scenario::EndedBy;
use crate::twilio::{CallReport, CallSpec, Event, Speaker, StreamEnd};

/// Columns of a line; longer ones are broken.
const WIDTH: usize = 110;
/// Columns before what is said.
const INDENT: usize = 20;
/// So many words are shown of what was cut off.
const CUT_WORDS: usize = 6;

/// Writes what happens, a line each, in the order in which it began to be heard.
pub(super) struct Screen {
    coloured: bool,
    heading: String,
    /// When, and how long after the caller's last word, the other side's current turn began.
    began: Option<(u64, Option<u64>)>,
    /// A caller's line that waits until the turn it interrupts has been shown.
    held: Option<String>,
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
    Magenta,
}

impl Screen {
    pub(super) fn new(request: &CallSpec, coloured: bool) -> Self {
        let mut screen = Self { coloured, heading: String::new(), began: None, held: None };
        let name = screen.ink(Ink::Bold, &request.scenario.name);
        let numbers = screen.ink(Ink::Dim, &format!("{} → {}", request.from, request.to));
        screen.heading = format!("\n  {name}  {numbers}\n  {}\n\n", request.scenario.about.trim());
        screen
    }

    pub(super) fn heading(&self) -> &str {
        &self.heading
    }

    /// The lines that an event adds; often none.
    pub(super) fn show(&mut self, event: &Event) -> String {
        match event {
            Event::CallerSpeaks { at_ms, text, interrupts } => {
                let mut said = vec![(None, text.clone())];
                said.extend(interrupts.then(|| (Some(Ink::Yellow), "↯ interrupts".to_owned())));
                let line = self.line(*at_ms, "caller", Ink::Cyan, &said);
                if *interrupts && self.began.is_some() {
                    self.held = Some(line);
                    return String::new();
                }
                line
            }
            Event::CallerSpoke { complete, .. } => {
                let mut lines = self.held.take().unwrap_or_default();
                if !complete {
                    lines.push_str(&self.note("… and hangs up in mid-word"));
                }
                lines
            }
            Event::Speaks { at_ms, latency_ms, .. } => {
                self.began = Some((*at_ms, *latency_ms));
                String::new()
            }
            Event::Spoke { at_ms, speaker, text, cut } => {
                let (began, latency) = self.began.take().unwrap_or((*at_ms, None));
                let mut said = vec![(None, text.clone())];
                if let Some(rest) = cut {
                    said.push((Some(Ink::Yellow), "✂".to_owned()));
                    said.push((Some(Ink::Dim), beginning(rest)));
                }
                said.extend(latency.map(|ms| (Some(Ink::Dim), format!("({ms} ms)"))));
                let (name, ink) = name_of(*speaker);
                self.line(began, name, ink, &said) + &self.held.take().unwrap_or_default()
            }
            Event::Key { at_ms, key } => {
                self.line(*at_ms, "caller", Ink::Cyan, &[(Some(Ink::Bold), format!("presses {key}"))])
            }
            Event::StreamClosed { how, .. } => match how {
                StreamEnd::Broken => self.note("the media stream broke"),
                StreamEnd::Cut => self.note("the scenario cuts the media stream"),
                StreamEnd::ClosedByApp | StreamEnd::CallEnded | StreamEnd::Replaced => String::new(),
            },
            Event::StreamOpened { number, .. } if *number > 1 => {
                self.note(&format!("media stream no. {number}"))
            }
            Event::KillApp { .. } => self.note("the product's host is killed now"),
            Event::Dialled { outcome, .. } => self.note(&format!("dialled: {outcome:?}").to_lowercase()),
            Event::Violation { what, .. } => {
                format!("           {}\n", self.ink(Ink::Red, &format!("✗ {what}")))
            }
            Event::Ended { report } => self.held.take().unwrap_or_default() + &self.summary(report),
            Event::Ringing { .. }
            | Event::Answered
            | Event::Twiml { .. }
            | Event::StreamOpened { .. }
            | Event::Cleared { .. }
            | Event::Failed { .. } => String::new(),
        }
    }

    fn summary(&self, report: &CallReport) -> String {
        let mut text = String::from("\n");
        let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1_000.0);
        let by = match report.ended_by {
            EndedBy::Caller => "the caller hung up",
            EndedBy::App => "the system ended the call",
            EndedBy::Platform => "Twilio ended the call: application error",
            EndedBy::GaveUp => "the caller gave up waiting",
        };
        self.row(&mut text, "ended", &format!("{by} after {}", seconds(report.duration_ms)));
        let mut latencies = report.latencies();
        latencies.sort_unstable();
        if let (Some(median), Some(longest)) = (latencies.get(latencies.len() / 2), latencies.last()) {
            let answers = latencies.len();
            self.row(
                &mut text,
                "latency",
                &format!("{median} ms median, {longest} ms longest, {answers} answers"),
            );
        }
        let silences = format!(
            "{} longest, {} longest wait",
            seconds(report.max_silence_ms),
            seconds(report.max_wait_ms)
        );
        self.row(&mut text, "silence", &silences);
        if let Some(worst) =
            report.truncations.iter().map(super::super::twilio::Truncation::error_ms).max_by_key(|e| e.abs())
        {
            let count = report.truncations.len();
            self.row(
                &mut text,
                "cut",
                &format!("{count} interrupted, claimed − heard {worst:+} ms at worst"),
            );
        }
        let damaged: u32 = report.turns.iter().map(|turn| turn.damaged_frames).sum();
        let sent: u64 = report.streams.iter().map(|stream| stream.frames_sent).sum();
        self.row(&mut text, "frames", &format!("{sent} sent, {damaged} of speech lost or out of order"));
        if !report.tools.is_empty() {
            self.row(&mut text, "tools", &report.tools.join(", "));
        }
        for violation in &report.violations {
            writeln!(text, "  {}", self.ink(Ink::Red, &format!("✗ violation: {violation}")))
                .unwrap_or_default();
        }
        for failure in &report.failures {
            writeln!(text, "  {}", self.ink(Ink::Red, &format!("✗ {failure}"))).unwrap_or_default();
        }
        if report.passed() {
            writeln!(text, "  {}", self.ink(Ink::Green, "✓ as expected")).unwrap_or_default();
        }
        text
    }

    fn row(&self, text: &mut String, name: &str, value: &str) {
        writeln!(text, "  {}  {value}", self.ink(Ink::Dim, &format!("{name:<8}"))).unwrap_or_default();
    }

    /// A line of the conversation, broken between words where it gets too long.
    fn line(&self, at_ms: u64, who: &str, ink: Ink, said: &[(Option<Ink>, String)]) -> String {
        let (minutes, tenths) = (at_ms / 60_000, at_ms % 60_000 / 100);
        let time = format!("{minutes}:{:02}.{}", tenths / 10, tenths % 10);
        let mut text = format!("  {}  {} ", self.ink(Ink::Dim, &time), self.ink(ink, &format!("{who:<9}")));
        let mut column = INDENT;
        for (ink, words) in said {
            for word in words.split_whitespace() {
                let width = word.chars().count() + 1;
                if column + width > WIDTH {
                    text.push('\n');
                    text.push_str(&" ".repeat(INDENT));
                    column = INDENT;
                }
                text.push(' ');
                text.push_str(&ink.map_or_else(|| word.to_owned(), |ink| self.ink(ink, word)));
                column += width;
            }
        }
        text.push('\n');
        text
    }

    fn note(&self, text: &str) -> String {
        format!("                     {}\n", self.ink(Ink::Yellow, &format!("— {text}")))
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.coloured {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => 1,
            Ink::Dim => 2,
            Ink::Red => 31,
            Ink::Green => 32,
            Ink::Yellow => 33,
            Ink::Magenta => 35,
            Ink::Cyan => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The first words of what was cut off.
fn beginning(rest: &str) -> String {
    let shown: Vec<&str> = rest.split_whitespace().take(CUT_WORDS).collect();
    let more = if rest.split_whitespace().count() > CUT_WORDS { " …" } else { "" };
    shown.join(" ") + more
}

fn name_of(speaker: Speaker) -> (&'static str, Ink) {
    match speaker {
        Speaker::Caller => ("caller", Ink::Cyan),
        Speaker::Assistant => ("assistant", Ink::Magenta),
        Speaker::Twilio => ("twilio", Ink::Dim),
        Speaker::Callee => ("callee", Ink::Green),
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;
    use crate::scenario::Scenario;
    use crate::twilio::{CallSpec, Event, Speaker};

    #[test]
    fn an_interruption_is_shown_after_the_turn_that_it_cuts() {
        let scenario = Scenario::listener();
        let request = CallSpec { to: "+15005550006".into(), from: "+15005550001".into(), scenario };
        let mut screen = Screen::new(&request, false);
        let speaks = Event::Speaks { at_ms: 61_230, speaker: Speaker::Assistant, latency_ms: Some(812) };
        let caller = Event::CallerSpeaks { at_ms: 62_000, text: "Wait.".into(), interrupts: true };
        let spoke = Event::Spoke {
            at_ms: 62_400,
            speaker: Speaker::Assistant,
            text: "We are open".into(),
            cut: Some("from nine to five.".into()),
        };
        assert_eq!((screen.show(&speaks), screen.show(&caller)), (String::new(), String::new()));
        let expected = "  1:01.2  assistant  We are open ✂ from nine to five. (812 ms)
  1:02.0  caller     Wait. ↯ interrupts\n";
        assert_eq!(screen.show(&spoke), expected);
    }

    #[test]
    fn long_turns_are_broken_between_words_and_cuts_are_short() {
        let spec = CallSpec { to: "+1".into(), from: "+1".into(), scenario: Scenario::listener() };
        let mut screen = Screen::new(&spec, false);
        let words = "word ".repeat(40);
        let cut = Some("one two three four five six seven".to_owned());
        let shown = screen.show(&Event::Spoke { at_ms: 0, speaker: Speaker::Twilio, text: words, cut });
        assert!(shown.lines().count() == 3 && shown.lines().all(|line| line.chars().count() <= super::WIDTH));
        assert!(shown.ends_with("✂ one two three four five six …\n"));
    }
}
