//! `<Say>`, `<Play>`, `<Pause>`: what Twilio itself lets the caller hear.

use std::io::Cursor;
use std::sync::Arc;

use tokio::time::Instant;

use super::engine::{Engine, Interrupt};
use super::playback::{SAMPLES_PER_MS, Source};
use super::report::Speaker;
use super::tones;
use super::twiml::{Action, Method, Prompt};
use super::webhook::send;
use crate::speech::{SAMPLE_RATE, Speech, Synthesiser, Voice, encode};

/// Twilio's own voice and that of dialled parties.
#[derive(Debug, Clone)]
pub(super) struct Voices {
    pub(super) synthesiser: Synthesiser,
}

impl Voices {
    /// Twilio's voice: unlike the assistant's and the caller's.
    fn twilio() -> Voice {
        Voice { name: "en-us".into(), speed: 170, pitch: 40 }
    }

    /// A human being at the other end of a `<Dial>`.
    fn callee() -> Voice {
        Voice { name: "en-gb+m3".into(), speed: 165, pitch: 35 }
    }
}

impl Engine {
    pub(super) async fn prompt(&mut self, prompt: &Prompt) -> Result<(), Interrupt> {
        match prompt {
            Prompt::Say { text, times } => {
                for _ in 0..*times {
                    self.say(text).await?;
                }
                Ok(())
            }
            Prompt::Play { url, times } => self.play_file(url, *times).await,
            Prompt::PlayDigits(digits) => self.play_out(Source::Tone, tones::keys(digits)).await.map(drop),
            Prompt::Pause(seconds) => {
                let until = self.line.now() + u64::from(*seconds) * 1_000 * SAMPLES_PER_MS;
                while self.line.now() < until && !self.tick_and_listen().await? {}
                Ok(())
            }
        }
    }

    /// Speaks with Twilio's voice.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), Interrupt> {
        self.speak(Speaker::Twilio, Voices::twilio(), text).await
    }

    /// Lets the dialled party speak.
    pub(super) async fn callee_says(&mut self, text: &str) -> Result<(), Interrupt> {
        self.speak(Speaker::Callee, Voices::callee(), text).await
    }

    /// The sound of Twilio's voice; `None` (and a note) when it cannot be made. To make it takes a while, the more so on a busy
    /// machine and without a cache; Twilio begins to speak at once, so the call's clock stands still.
    pub(super) async fn voice_of(&mut self, voice: Voice, text: &str) -> Option<Arc<Speech>> {
        let (synthesiser, words) = (self.voices.synthesiser.clone(), text.to_owned());
        let began = Instant::now();
        let speech = tokio::task::spawn_blocking(move || synthesiser.say(&voice, &words)).await;
        self.line.stand_still(began.elapsed());
        match speech {
            Ok(Ok(speech)) => Some(speech),
            Ok(Err(error)) => {
                self.line.violation("simulator", error.to_string());
                None
            }
            Err(_) => None,
        }
    }

    async fn speak(&mut self, speaker: Speaker, voice: Voice, text: &str) -> Result<(), Interrupt> {
        let Some(speech) = self.voice_of(voice, text).await else { return Ok(()) };
        self.line.voice_began(speaker, text, speech.audio.len() as u64);
        let outcome = self.play_out(Source::Voice, speech.audio.clone()).await;
        self.line.voice_ended(matches!(outcome, Ok(true)));
        outcome.map(drop)
    }

    async fn play_file(&mut self, url: &str, times: u32) -> Result<(), Interrupt> {
        let request = self.request(&Action { url: url.to_owned(), method: Method::Get }, &[]);
        let account = self.account.clone();
        let audio = match self.during(async move { send(&account, &request).await }).await? {
            Ok(answer) if answer.content_type.starts_with("audio/") => telephone_audio(&answer.body),
            Ok(answer) => Err(format!("content type '{}'", answer.content_type)),
            Err(error) => Err(error.to_string()),
        };
        match audio {
            Ok(audio) => {
                for _ in 0..times {
                    self.play_out(Source::Tone, audio.clone()).await?;
                }
            }
            // Twilio goes on with the next verb.
            Err(error) => self.line.violation("play_failed", format!("12300 {error}")),
        }
        Ok(())
    }
}

/// A WAV file as µ-law: 16 bits, one channel, 8 kHz, which is what a telephone has.
fn telephone_audio(file: &[u8]) -> Result<Vec<u8>, String> {
    let mut reader = hound::WavReader::new(Cursor::new(file)).map_err(|error| error.to_string())?;
    let spec = reader.spec();
    if (spec.channels, spec.sample_rate, spec.bits_per_sample) != (1, SAMPLE_RATE, 16) {
        return Err("only WAV of 16 bits, one channel and 8 kHz is simulated".into());
    }
    reader.samples::<i16>().map(|sample| sample.map(encode).map_err(|error| error.to_string())).collect()
}
