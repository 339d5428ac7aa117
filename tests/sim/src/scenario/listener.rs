//! What a caller makes of the sound in the earpiece: when the other side speaks, and when it has finished.

use crate::twilio::{SAMPLES_PER_MS, Samples};

/// A pause longer than this ends a turn of the other side. Between the sentences of one turn pauses are shorter.
const TURN_GAP: Samples = 700 * SAMPLES_PER_MS;

/// What the caller hears in one frame of 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ear {
    /// End of the frame, since the answer.
    pub now: Samples,
    /// Somebody speaks in it (tones and silence do not count).
    pub voice: bool,
    /// Something is connected that could speak: a stream is open, or Twilio executes a verb.
    pub live: bool,
}

/// The other side's turns as the caller notices them.
#[derive(Debug, Clone, Default)]
pub struct Listener {
    turns: u32,
    began: Samples,
    last_voice: Option<Samples>,
    quiet_from: Samples,
    broke_off: bool,
}

impl Listener {
    /// Listens to one frame.
    pub fn hear(&mut self, ear: Ear) {
        if ear.voice {
            let pause = self.last_voice.map(|last| ear.now.saturating_sub(last));
            if pause.is_none_or(|pause| pause > TURN_GAP) {
                self.turns += 1;
                self.began = ear.now;
            }
            self.last_voice = Some(ear.now);
            self.broke_off = false;
        }
        if !ear.live {
            // The line went dead in the middle of a turn: what was said so far is no finished turn.
            self.broke_off |= self.speaking_for(ear.now).is_some();
        }
        if ear.voice || !ear.live {
            self.quiet_from = ear.now;
        }
    }

    /// Turns of the other side so far, the current one included.
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// For how long the current turn has lasted; `None` when nobody speaks, or nobody can any more.
    pub fn speaking_for(&self, now: Samples) -> Option<Samples> {
        let last = self.last_voice.filter(|_| !self.broke_off)?;
        (now.saturating_sub(last) <= TURN_GAP).then(|| now.saturating_sub(self.began))
    }

    /// For how long a live line has been silent.
    pub fn quiet_for(&self, now: Samples) -> Samples {
        now.saturating_sub(self.quiet_from)
    }

    /// The last turn ended because the line went dead.
    pub fn broke_off(&self) -> bool {
        self.broke_off
    }
}

#[cfg(test)]
mod tests {
    use super::{Ear, Listener};

    const FRAME: u64 = 160;

    fn hear(listener: &mut Listener, now: &mut u64, ms: u64, voice: bool, live: bool) {
        for _ in 0..ms / 20 {
            *now += FRAME;
            listener.hear(Ear { now: *now, voice, live });
        }
    }

    #[test]
    fn pauses_between_sentences_do_not_end_a_turn() {
        let (mut listener, mut now) = (Listener::default(), 0);
        hear(&mut listener, &mut now, 1_000, true, true);
        hear(&mut listener, &mut now, 400, false, true);
        hear(&mut listener, &mut now, 1_000, true, true);
        assert_eq!(listener.turns(), 1);
        hear(&mut listener, &mut now, 900, false, true);
        assert_eq!((listener.speaking_for(now), listener.quiet_for(now)), (None, 900 * 8));
        hear(&mut listener, &mut now, 100, true, true);
        assert_eq!(listener.turns(), 2);
        assert!(!listener.broke_off());
    }

    #[test]
    fn a_dead_line_in_mid_sentence_is_no_finished_turn() {
        let (mut listener, mut now) = (Listener::default(), 0);
        hear(&mut listener, &mut now, 1_000, true, true);
        hear(&mut listener, &mut now, 200, false, false);
        assert_eq!(listener.speaking_for(now), None);
        hear(&mut listener, &mut now, 1_800, false, false);
        assert!(listener.broke_off());
        hear(&mut listener, &mut now, 500, false, true);
        assert_eq!(listener.quiet_for(now), 500 * 8);
        hear(&mut listener, &mut now, 500, true, true);
        assert!(!listener.broke_off());
        assert_eq!(listener.turns(), 2);
    }
}
