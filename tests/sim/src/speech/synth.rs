//! Text to telephone speech by espeak-ng, clause by clause, cached.

use std::{
    collections::HashMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{BYTES_PER_MS, SILENCE, Speech, Word, encode, resample::to_telephone};

/// Part of the cache key: raise it when the same text would sound different.
const RECIPE: &str = "1";
/// Pause after a comma. Well below the silence that ends a turn.
const CLAUSE_PAUSE_MS: usize = 120;
/// Pause after a sentence. Below the 500 ms of a default turn detector, so that two sentences can be one turn.
const SENTENCE_PAUSE_MS: usize = 280;
/// Samples below this are the silence that the synthesiser puts around a clause.
const TRIM_LEVEL: u16 = 200;
/// Left standing around a clause, in samples of the synthesiser.
const TRIM_MARGIN: usize = 220;
/// Texts kept in memory; above it the memory is emptied (the disk still has them).
const MAX_IN_MEMORY: usize = 1_000;
/// What a WAV file of espeak-ng has before its samples.
const WAV_HEADER: usize = 44;

/// Why there is no speech.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The synthesiser could not be started.
    #[error("espeak-ng cannot be started ({0}); `cargo xtask setup` says how to install it")]
    Missing(std::io::Error),
    /// It ran and failed.
    #[error("espeak-ng failed: {0}")]
    Failed(String),
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Voice {
    /// Voice of espeak-ng, e.g. `en-us+f3`.
    pub name: String,
    /// Words per minute.
    pub speed: u16,
    /// 0 to 99.
    pub pitch: u8,
}

impl Voice {
    /// The usual caller.
    pub fn caller() -> Self {
        Self { name: "en-gb".into(), speed: 165, pitch: 45 }
    }

    /// The usual assistant.
    pub fn assistant() -> Self {
        Self { name: "en-us+f3".into(), speed: 175, pitch: 55 }
    }
}

/// Makes speech; cheap to clone.
#[derive(Debug, Clone)]
pub struct Synthesiser(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    directory: Option<PathBuf>,
    memory: Mutex<HashMap<(Voice, String), Arc<Speech>>>,
}

impl Synthesiser {
    /// Keeps clauses in `directory`; a directory that cannot be written only makes it slower.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { directory, memory: Mutex::default() }))
    }

    /// With the user's cache, `$XDG_CACHE_HOME` or `~/.cache`, below `voicecore/speech`.
    pub fn with_user_cache() -> Self {
        let named = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
        Self::new(cache.map(|c| c.join("voicecore/speech")))
    }

    /// Says `text`. Blocks; see the module's documentation.
    pub fn say(&self, voice: &Voice, text: &str) -> Result<Arc<Speech>, SpeechError> {
        let key = (voice.clone(), text.to_owned());
        if let Some(known) = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let mut audio: Vec<u8> = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        for clause in clauses(text) {
            let sound = self.clause(voice, &clause.words.join(" "))?;
            place_words(&clause.words, audio.len() / BYTES_PER_MS, sound.len() / BYTES_PER_MS, &mut words);
            audio.extend_from_slice(&sound);
            audio.resize(audio.len() + clause.pause_ms * BYTES_PER_MS, SILENCE);
        }
        // The pause belongs between clauses: what is said last ends with its last word.
        let spoken = words.last().map_or(0, |w| w.end_ms as usize * BYTES_PER_MS);
        audio.truncate(spoken);
        let text = words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
        let speech = Arc::new(Speech { text, audio, words });
        let mut memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= MAX_IN_MEMORY {
            memory.clear();
        }
        memory.insert(key, speech.clone());
        Ok(speech)
    }

    /// One clause from the disk or from the synthesiser.
    fn clause(&self, voice: &Voice, text: &str) -> Result<Vec<u8>, SpeechError> {
        let path = self.0.directory.as_ref().map(|directory| directory.join(file_name(voice, text)));
        if let Some(Ok(audio)) = path.as_deref().map(std::fs::read) {
            return Ok(audio);
        }
        let audio = synthesise(voice, text)?;
        if let Some(path) = path {
            // A cache that cannot be written is a slower cache, not a failure.
            drop(store(&path, &audio));
        }
        Ok(audio)
    }
}

struct Clause<'a> {
    words: Vec<&'a str>,
    pause_ms: usize,
}

fn clauses(text: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause<'_>> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        if !open {
            clauses.push(Clause { words: Vec::new(), pause_ms: 0 });
        }
        let Some(clause) = clauses.last_mut() else { break };
        clause.words.push(word);
        clause.pause_ms = match word.trim_end_matches(['"', '”', '\'', ')']).chars().next_back() {
            Some(',' | ';' | ':' | '–' | '—') => CLAUSE_PAUSE_MS,
            Some('.' | '?' | '!' | '…') => SENTENCE_PAUSE_MS,
            _ => 0,
        };
        open = clause.pause_ms == 0;
    }
    clauses
}

/// Shares a clause out among its words by what they take to say: letters, with digits counting fourfold.
fn place_words(texts: &[&str], start_ms: usize, length_ms: usize, words: &mut Vec<Word>) {
    let weight = |text: &str| -> usize { 1 + text.chars().map(letter_weight).sum::<usize>() };
    let total: usize = texts.iter().map(|t| weight(t)).sum();
    let mut before = 0;
    for text in texts {
        let at = |share: usize| (start_ms + share * length_ms / total.max(1)) as u32;
        let start = at(before);
        before += weight(text);
        words.push(Word { text: (*text).to_owned(), start_ms: start, end_ms: at(before) });
    }
}

fn letter_weight(letter: char) -> usize {
    if letter.is_numeric() { 4 } else { usize::from(letter.is_alphabetic()) }
}

fn synthesise(voice: &Voice, text: &str) -> Result<Vec<u8>, SpeechError> {
    let (speed, pitch) = (voice.speed.to_string(), voice.pitch.to_string());
    let mut child = Command::new("espeak-ng")
        .args(["--stdin", "--stdout", "-z", "-b", "1", "-v", &voice.name, "-s", &speed, "-p", &pitch])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(SpeechError::Missing)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A clause fits into the pipe, so this does not wait for the reader; an early exit shows below.
        drop(stdin.write_all(text.as_bytes()));
    }
    let output = child.wait_with_output().map_err(SpeechError::Missing)?;
    let failed =
        |reason: &str| SpeechError::Failed(format!("{reason}: {}", String::from_utf8_lossy(&output.stderr)));
    if !output.status.success() {
        return Err(failed("exit status"));
    }
    let Some((header, body)) = output.stdout.split_at_checked(WAV_HEADER) else {
        // Nothing speakable, such as a lone dash.
        return Ok(Vec::new());
    };
    let rate = header.get(24..28).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    let rate = rate.filter(|_| header.starts_with(b"RIFF")).ok_or_else(|| failed("no WAV"))?;
    let samples: Vec<i16> = body.as_chunks::<2>().0.iter().map(|s| i16::from_le_bytes(*s)).collect();
    Ok(to_telephone(trim(&samples), rate).into_iter().map(encode).collect())
}

/// Takes off the silence at both ends, but for a margin.
fn trim(samples: &[i16]) -> &[i16] {
    let loud = |s: &i16| s.unsigned_abs() > TRIM_LEVEL;
    let Some(first) = samples.iter().position(loud) else { return &[] };
    let last = samples.iter().rposition(loud).unwrap_or(first);
    let range = first.saturating_sub(TRIM_MARGIN)..(last + TRIM_MARGIN).min(samples.len());
    samples.get(range).unwrap_or_default()
}

fn file_name(voice: &Voice, text: &str) -> String {
    let recipe = format!("{RECIPE}|{}|{}|{}|{text}", voice.name, voice.speed, voice.pitch);
    URL_SAFE_NO_PAD.encode(Sha256::digest(recipe)) + ".ulaw"
}

/// Writes beside and renames: another process never reads half a file.
fn store(path: &Path, audio: &[u8]) -> std::io::Result<()> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let beside =
        path.with_extension(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&beside, audio)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::super::level_db;
    use super::*;

    #[test]
    fn speech_is_audible_placed_and_the_same_every_time() {
        let say =
            || Synthesiser::new(None).say(&Voice::caller(), "Hello, I would like  a table. For 2!").unwrap();
        let speech = say();
        assert_eq!(speech.text, "Hello, I would like a table. For 2!");
        assert_eq!(speech.words.len(), 8);
        assert!((1_500..5_000).contains(&speech.duration_ms()), "{}", speech.duration_ms());
        assert!(level_db(&speech.audio) > -30.0);
        assert!(speech.words.windows(2).all(|w| w[0].end_ms <= w[1].start_ms && w[0].start_ms < w[0].end_ms));
        assert_eq!(speech.words[1].start_ms - speech.words[0].end_ms, CLAUSE_PAUSE_MS as u32);
        assert_eq!(speech, say());
    }

    #[test]
    fn the_disk_remembers_and_half_written_files_do_not_show() {
        let directory = std::env::temp_dir().join(format!("voicecore-speech-{}", std::process::id()));
        let first =
            Synthesiser::new(Some(directory.clone())).say(&Voice::assistant(), "Good morning.").unwrap();
        let files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        // What is on the disk is believed: this shows that it is read at all.
        std::fs::write(&files[0], &first.audio[..800]).unwrap();
        let second =
            Synthesiser::new(Some(directory.clone())).say(&Voice::assistant(), "Good morning.").unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(second.audio, &first.audio[..800]);
    }

    #[test]
    fn nothing_to_say_is_no_error() {
        let silent = Synthesiser::new(None).say(&Voice::caller(), " — ").unwrap();
        assert_eq!(silent.duration_ms(), 0);
        assert_eq!(Synthesiser::new(None).say(&Voice::caller(), "").unwrap().words, []);
    }
}
