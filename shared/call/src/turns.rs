//! The transcript of a running call: who said what, in the order in which they began to say it.
//!
//! A turn gets its place when it begins, not when its words are known: the caller's words may be transcribed long after
//! the answer to them began, and in any order.

use std::collections::VecDeque;

use voicecore_types::Millis;
use voicecore_wire::payload::Payload;

use crate::speech::{MAX_TEXT, Pace, Speech};
use crate::{Interaction, InteractionKind, Speaker};

/// Most entries of one call; what comes after is spoken but not written down. An hour of a brisk conversation has
/// some 600.
pub(crate) const MAX_ENTRIES: usize = 4_000;
/// Turns whose words may still come, or be cut. Older ones are closed as they are.
pub(crate) const MAX_OPEN: usize = 64;
/// Words of the caller that have not come by then, counted from the end of the turn, are not waited for.
const TRANSCRIPTION_PATIENCE: Millis = Millis::from_secs(10);
/// Least time between two previews of the same turn.
const PREVIEW_PERIOD: Millis = Millis(500);
/// A preview is on average half a period old when the process dies: so much is added to what was heard.
const PREVIEW_AHEAD_MS: u64 = PREVIEW_PERIOD.0 / 2;

/// How a turn ended, or has not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// Interrupted; the text follows when all there will be of it is known.
    Cut {
        heard_ms: u64,
    },
    Whole,
}

/// A turn whose words are not settled yet.
#[derive(Debug)]
struct OpenTurn {
    index: usize,
    /// The model's name of the item.
    item: String,
    /// The model's name of the answer; empty for the caller.
    answer: String,
    speech: Speech,
    end: End,
    /// The model gave up making it: its words may be ahead of its audio for ever.
    broken: bool,
    /// When the caller finished speaking, counted from the start of the call; the words may not be there yet.
    stopped_ms: Option<u64>,
    previewed: Millis,
}

/// The transcript.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    entries: Vec<Interaction>,
    open: VecDeque<OpenTurn>,
    pace: Pace,
    /// Entries that have changed and are not yet published.
    changed: VecDeque<usize>,
}

impl Turns {
    /// What an earlier process wrote down. An unfinished turn stays as it was last seen.
    pub(crate) fn restore(&mut self, interaction: &Interaction) {
        let index = interaction.seq.saturating_sub(1) as usize;
        // Entries without words were never written down; their places stay empty.
        while self.entries.len() <= index.min(MAX_ENTRIES - 1) {
            let at_ms = interaction.start_ms;
            self.add(at_ms, Speaker::System, InteractionKind::Notice, "");
        }
        self.changed.clear();
        if let Some(known) = self.entries.get_mut(index) {
            known.clone_from(interaction);
        }
    }

    pub(crate) fn entries(&self) -> &[Interaction] {
        &self.entries
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&Interaction> {
        self.entries.get(index)
    }

    /// The next entry to publish.
    pub(crate) fn pop_changed(&mut self) -> Option<&Interaction> {
        let index = self.changed.pop_front()?;
        self.entries.get(index)
    }

    /// Entries with words in them: noise that was taken for speech and answers that nobody heard leave none.
    pub(crate) fn spoken(&self) -> impl Iterator<Item = &Interaction> {
        let is_deed = |entry: &Interaction| {
            matches!(entry.kind, InteractionKind::Tool { .. } | InteractionKind::Intervention { .. })
        };
        self.entries.iter().filter(move |entry| !entry.text.is_empty() || is_deed(entry))
    }

    /// Adds an entry that is complete, or that only [`Turns::rewrite`] will change.
    pub(crate) fn add(
        &mut self,
        at_ms: u64,
        speaker: Speaker,
        kind: InteractionKind,
        text: &str,
    ) -> Option<usize> {
        if self.entries.len() >= MAX_ENTRIES {
            return None;
        }
        let index = self.entries.len();
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().to_owned();
        self.entries.push(Interaction {
            seq: index as u32 + 1,
            speaker,
            kind,
            text,
            start_ms: at_ms,
            end_ms: at_ms,
            cut_at_ms: None,
            estimated: false,
            latency_ms: None,
        });
        self.touch(index);
        Some(index)
    }

    /// Writes the result of a tool run.
    pub(crate) fn rewrite(&mut self, index: usize, at_ms: u64, text: &str) {
        if let Some(entry) = self.entries.get_mut(index) {
            text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().clone_into(&mut entry.text);
            entry.end_ms = at_ms;
            self.touch(index);
        }
    }

    fn touch(&mut self, index: usize) {
        if !self.changed.contains(&index) {
            self.changed.push_back(index);
        }
    }

    fn open_turn(&mut self, at_ms: u64, speaker: Speaker, answer: &str, item: &str) -> Option<usize> {
        let index = self.add(at_ms, speaker, InteractionKind::Speech, "")?;
        // An empty entry says nothing yet: it is published with its first words.
        self.changed.retain(|changed| *changed != index);
        if self.open.len() >= MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back(OpenTurn {
            index,
            item: item.to_owned(),
            answer: answer.to_owned(),
            speech: Speech::default(),
            end: End::Open,
            broken: false,
            stopped_ms: None,
            previewed: Millis::ZERO,
        });
        Some(index)
    }

    fn find(&mut self, speaker: Speaker, item: &str) -> Option<usize> {
        let entries = &self.entries;
        self.open.iter().rposition(|turn| {
            turn.item == item && entries.get(turn.index).is_some_and(|entry| entry.speaker == speaker)
        })
    }

    // The caller.

    /// The caller began to speak.
    pub(crate) fn caller_began(&mut self, at_ms: u64, item: &str) {
        if self.find(Speaker::Caller, item).is_none() {
            self.open_turn(at_ms, Speaker::Caller, "", item);
        }
    }

    /// The caller stopped: the words may follow.
    pub(crate) fn caller_stopped(&mut self, at_ms: u64, item: &str) {
        let Some(place) = self.find(Speaker::Caller, item) else { return };
        let Some(turn) = self.open.get_mut(place) else { return };
        turn.stopped_ms = Some(at_ms);
        let index = turn.index;
        if let Some(entry) = self.entries.get_mut(index) {
            entry.end_ms = at_ms;
        }
    }

    /// More of the caller's words.
    pub(crate) fn caller_text(&mut self, now: Millis, at_ms: u64, item: &str, delta: &str) {
        self.caller_began(at_ms, item);
        let Some(place) = self.find(Speaker::Caller, item) else { return };
        let Some(turn) = self.open.get_mut(place) else { return };
        turn.speech.add_text(delta);
        if now.since(turn.previewed) >= PREVIEW_PERIOD {
            turn.previewed = now;
            let index = turn.index;
            let text = turn.speech.text().trim().to_owned();
            self.write(index, text);
        }
    }

    /// All of the caller's words. The turn is settled.
    pub(crate) fn caller_said(&mut self, at_ms: u64, item: &str, text: &str) {
        self.caller_began(at_ms, item);
        let Some(turn) = self.find(Speaker::Caller, item).and_then(|place| self.open.remove(place)) else {
            return;
        };
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().trim().to_owned();
        self.write(turn.index, text);
    }

    /// No words will come for this turn: those that came in pieces stay.
    pub(crate) fn caller_unclear(&mut self, item: &str) {
        let turn = self.find(Speaker::Caller, item).and_then(|place| self.open.remove(place));
        if let Some(turn) = turn {
            self.write(turn.index, turn.speech.text().trim().to_owned());
        }
    }

    /// There are turns of the caller whose words have not all come, and still may.
    pub(crate) fn awaits_caller(&self, at_ms: u64) -> bool {
        self.open.iter().any(|turn| {
            let late = turn.stopped_ms.is_some_and(|stopped| at_ms > stopped + TRANSCRIPTION_PATIENCE.0);
            turn.answer.is_empty() && !late
        })
    }

    /// The session that would have transcribed them is lost. With `heard_again` the next session hears the audio and
    /// makes new turns of it, so these are withdrawn; otherwise the words that came stay.
    pub(crate) fn caller_turns_lost(&mut self, heard_again: bool) {
        let (lost, kept) =
            std::mem::take(&mut self.open).into_iter().partition(|turn| turn.answer.is_empty());
        self.open = kept;
        let lost: VecDeque<OpenTurn> = lost;
        for turn in lost {
            let text = if heard_again { "" } else { turn.speech.text().trim() };
            self.write(turn.index, text.to_owned());
        }
    }

    // The assistant.

    /// The turn that an item of an answer is; it begins with the first audio or word.
    pub(crate) fn assistant(&mut self, at_ms: u64, answer: &str, item: &str) -> Option<usize> {
        if let Some(place) = self.find(Speaker::Assistant, item) {
            return self.open.get(place).map(|turn| turn.index);
        }
        // The caller's turns have no answer: an unnamed one gets a name, so that the two are told apart.
        let answer = if answer.is_empty() { "-" } else { answer };
        self.open_turn(at_ms, Speaker::Assistant, answer, item)
    }

    fn speech_of(&mut self, index: usize) -> Option<&mut OpenTurn> {
        self.open.iter_mut().rev().find(|turn| turn.index == index)
    }

    /// Gives `true` for the first audio of the turn.
    pub(crate) fn add_audio(&mut self, index: usize, payload: &Payload<'_>) -> bool {
        let Some(turn) = self.speech_of(index) else { return false };
        let first = turn.speech.audio_ms() == 0;
        turn.speech.add_audio(payload);
        first
    }

    /// Audio that comes after the end of the call counts for the estimate of what was heard.
    pub(crate) fn add_late_audio(&mut self, item: &str, payload: &Payload<'_>) {
        if let Some(turn) = self.find(Speaker::Assistant, item).and_then(|place| self.open.get_mut(place)) {
            turn.speech.add_audio(payload);
        }
    }

    /// An answer has spoken, not only called tools.
    pub(crate) fn spoke_in(&self, answer: &str) -> bool {
        self.open.iter().any(|turn| turn.answer == answer && turn.speech.audio_ms() > 0)
    }

    /// Turns of the assistant of which nothing was sent to be heard.
    pub(crate) fn unheard(&self) -> Vec<(usize, String)> {
        let open = self.open.iter().filter(|turn| turn.end == End::Open && !turn.answer.is_empty());
        open.map(|turn| (turn.index, turn.item.clone())).collect()
    }

    pub(crate) fn add_text(&mut self, index: usize, delta: &str) {
        if let Some(turn) = self.speech_of(index) {
            turn.speech.add_text(delta);
        }
    }

    pub(crate) fn set_text(&mut self, index: usize, text: &str) {
        if let Some(turn) = self.speech_of(index) {
            turn.speech.set_text(text);
            self.settle(index);
        }
    }

    /// The first audio of a turn is sent: it starts now, so long after the caller's turn.
    pub(crate) fn set_start(&mut self, index: usize, at_ms: u64, latency_ms: Option<u64>) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.start_ms = at_ms;
            entry.end_ms = at_ms;
            entry.latency_ms = latency_ms;
        }
    }

    /// The model's name of the item that a turn is.
    pub(crate) fn item(&self, index: usize) -> Option<&str> {
        self.open.iter().rev().find(|turn| turn.index == index).map(|turn| turn.item.as_str())
    }

    /// An answer is over; gives its turns. When it was `completed`, text and audio of them are whole.
    pub(crate) fn answer_ended(&mut self, answer: &str, completed: bool) -> Vec<usize> {
        let mut ended = Vec::new();
        for turn in self.open.iter_mut().filter(|turn| !answer.is_empty() && turn.answer == answer) {
            ended.push(turn.index);
            turn.broken = !completed;
            if completed {
                turn.speech.set_complete();
                self.pace.learn(&turn.speech);
            }
        }
        for index in &ended {
            self.settle(*index);
        }
        ended
    }

    /// The session is over: what it did not finish stays unfinished, and what it did not begin to say is unsaid.
    pub(crate) fn session_ended(&mut self, at_ms: u64) {
        let mut silent = Vec::new();
        for turn in self.open.iter_mut().filter(|turn| turn.end == End::Open && !turn.answer.is_empty()) {
            turn.broken = !turn.speech.is_complete();
            if turn.speech.audio_ms() == 0 {
                silent.push(turn.index);
            }
        }
        for index in silent {
            self.cut(at_ms, index, 0);
        }
    }

    /// What the caller has heard so far of a turn that goes on.
    pub(crate) fn preview(&mut self, now: Millis, at_ms: u64, index: usize, heard_ms: u64) {
        let pace = self.pace;
        let Some(turn) = self.speech_of(index) else { return };
        if turn.end != End::Open || now.since(turn.previewed) < PREVIEW_PERIOD {
            return;
        }
        turn.previewed = now;
        let text = turn.speech.heard(heard_ms + PREVIEW_AHEAD_MS, pace).to_owned();
        if text.is_empty() {
            return;
        }
        if let Some(entry) = self.entries.get_mut(index) {
            entry.end_ms = at_ms;
            entry.cut_at_ms = Some(heard_ms);
            entry.estimated = true;
        }
        self.write(index, text);
    }

    /// The caller heard so much of a turn, and no more of it will be played.
    pub(crate) fn cut(&mut self, at_ms: u64, index: usize, heard_ms: u64) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.end_ms = at_ms;
        }
        if let Some(turn) = self.speech_of(index) {
            turn.end = End::Cut { heard_ms };
            self.settle(index);
        }
    }

    /// The caller heard all of a turn.
    pub(crate) fn whole(&mut self, at_ms: u64, index: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.end_ms = at_ms;
        }
        if let Some(turn) = self.speech_of(index) {
            turn.end = match turn.speech.audio_ms() {
                heard_ms if turn.broken => End::Cut { heard_ms },
                _ => End::Whole,
            };
            self.settle(index);
        }
    }

    /// Writes down what is known of a turn that has ended.
    fn settle(&mut self, index: usize) {
        let pace = self.pace;
        let Some(turn) = self.speech_of(index) else { return };
        let (text, cut_at_ms) = match turn.end {
            End::Open => return,
            End::Whole => (turn.speech.text().trim().to_owned(), None),
            End::Cut { heard_ms } => (turn.speech.heard(heard_ms, pace).to_owned(), Some(heard_ms)),
        };
        if let Some(entry) = self.entries.get_mut(index) {
            entry.cut_at_ms = cut_at_ms;
            entry.estimated = cut_at_ms.is_some();
        }
        self.write(index, text);
    }

    fn write(&mut self, index: usize, text: String) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        let was_empty = entry.text.is_empty();
        let unchanged = entry.text == text;
        entry.text = text;
        if !(unchanged && was_empty) {
            self.touch(index);
        }
    }
}
