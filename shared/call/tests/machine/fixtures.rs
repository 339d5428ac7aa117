//! The calls of `tests/calls`: each file is one call, its format is described in `tests/calls/README.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use voicecore_call::{Input, OperatorCommand, ToolEffect};
use voicecore_types::Millis;

use crate::world::{World, config};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/calls")
}

#[test]
fn every_call_goes_as_written() {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("tests/calls")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "call"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "only {} calls", files.len());
    let mut failures = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a text");
        if let Err(failure) = Play::new().run(&text) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let _ = writeln!(failures, "{name}:{failure}");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn the_player_itself_fails_on_a_wrong_expectation() {
    for (text, says) in [
        ("0 line opens\n> carrier clear", "line 2"),
        ("0 line opens\n100 hangs up\ntranscript\n  caller: Never said.", "transcript"),
        ("0 line opens\nend silence", "not over"),
        ("0 dances", "line 1"),
        ("soon line opens", "line 1"),
        ("0 line opens\n500 time passes\n> nothing to model", "line 3"),
    ] {
        let failure = Play::new().run(text).expect_err(text);
        assert!(failure.contains(says), "{text}: {failure}");
    }
}

/// One call being played.
struct Play {
    world: Option<World>,
    settings: BTreeMap<String, String>,
    /// What came out is expected in order: each expectation begins where the last one was met.
    carrier_seen: usize,
    model_seen: usize,
}

type Step = Result<(), String>;

impl Play {
    fn new() -> Self {
        Self { world: None, settings: BTreeMap::new(), carrier_seen: 0, model_seen: 0 }
    }

    fn run(mut self, text: &str) -> Step {
        let mut lines = text.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            if line == "transcript" {
                let expect: Vec<_> = std::iter::from_fn(|| lines.next_if(|(_, line)| line.starts_with("  ")))
                    .map(|(_, line)| line.trim().to_owned())
                    .collect();
                let got = self.world()?.transcript();
                if got != expect {
                    return Err(format!("the transcript is {got:#?}"));
                }
                continue;
            }
            self.line(line).map_err(|failure| format!("line {}: {line}: {failure}", number + 1))?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Step {
        if let Some(setting) = line.strip_prefix("set ") {
            let (name, value) = setting.split_once(' ').ok_or("a value is missing")?;
            self.settings.insert(name.to_owned(), value.to_owned());
            return Ok(());
        }
        if let Some(expectation) = line.strip_prefix("> ") {
            return self.expect(expectation);
        }
        if let Some(reason) = line.strip_prefix("end ") {
            return self.ended(reason);
        }
        let (at, what) = line.split_once(' ').ok_or("nothing happens")?;
        let at: u64 =
            at.parse().map_err(|_| "a line begins with milliseconds, `>`, `set`, `end` or `transcript`")?;
        if self.world.is_none() {
            self.world = Some(self.begin()?);
        }
        let world = self.world()?;
        if at < world.now() {
            return Err(format!("it is {} already", world.now()));
        }
        world.run_for(at - world.now());
        happen(world, what.trim())
    }

    fn world(&mut self) -> Result<&mut World, String> {
        self.world.as_mut().ok_or_else(|| "nothing has happened yet".to_owned())
    }

    fn begin(&self) -> Result<World, String> {
        let mut config = config();
        let mut connects = Some(40);
        for (name, value) in &self.settings {
            let number = value.parse().map_err(|_| format!("{name} is a number"));
            match name.as_str() {
                "call_length" => config.limits.call_length = Millis(number?),
                "idle" => config.limits.idle = Millis(number?),
                "idle_prompts" => config.limits.idle_prompts = number? as u32,
                "transfer" => config.transfer_available = value == "yes",
                "model_connects_after" => connects = number.ok(),
                _ => return Err(format!("there is no setting {name}")),
            }
        }
        let mut world = World::new(config);
        world.model_connects_after = connects;
        Ok(world)
    }

    fn ended(&mut self, reason: &str) -> Step {
        let world = self.world()?;
        let Some(summary) = world.finished.first() else { return Err("the call is not over".to_owned()) };
        let got = serde_json::to_value(summary.reason).unwrap_or_default();
        if got == reason { Ok(()) } else { Err(format!("it ended by {got}")) }
    }

    fn expect(&mut self, expectation: &str) -> Step {
        let (carrier_seen, model_seen) = (self.carrier_seen, self.model_seen);
        let world = self.world()?;
        let (nothing, expectation) = match expectation.strip_prefix("nothing to ") {
            Some(rest) => (true, rest),
            None => (false, expectation),
        };
        let (side, rest) = expectation.split_once(' ').unwrap_or((expectation, ""));
        let (kind, fields) = rest.split_once(' ').unwrap_or((rest, "{}"));
        let fields: Value = serde_json::from_str(fields).map_err(|_| "the fields are not JSON")?;
        let (sent, seen, name) = match side {
            "carrier" => (&world.to_carrier, carrier_seen, "event"),
            "model" => (&world.to_model, model_seen, "type"),
            _ => return Err("frames go to carrier or model".to_owned()),
        };
        let rest = sent.get(seen..).unwrap_or_default();
        let met = rest
            .iter()
            .position(|(_, frame)| (kind.is_empty() || frame[name] == kind) && contains(frame, &fields));
        if nothing {
            let quiet = met.is_none();
            return if quiet { Ok(()) } else { Err(format!("but there was {}", rest[met.unwrap_or(0)].1)) };
        }
        let Some(met) = met else {
            let kinds: Vec<_> = rest.iter().map(|(_, frame)| frame[name].to_string()).collect();
            return Err(format!("there was only {}", kinds.join(", ")));
        };
        match side {
            "carrier" => self.carrier_seen += met + 1,
            _ => self.model_seen += met + 1,
        }
        Ok(())
    }
}

/// Every field of `part` stands in `whole`; texts that end in `…` are beginnings, those in `*` parts.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| contains(whole, value)))
        }
        (Value::String(whole), Value::String(part)) => match part.strip_prefix("…") {
            Some(part) => whole.contains(part),
            None => whole == part,
        },
        _ => whole == part,
    }
}

/// Something happens. Words in quotation marks at the end are what is said.
fn happen(world: &mut World, what: &str) -> Step {
    let (what, said) = match what.split_once('"') {
        Some((what, said)) => (what.trim(), said.strip_suffix('"').ok_or("the quotation does not end")?),
        None => (what, ""),
    };
    let words: Vec<&str> = what.split_whitespace().collect();
    let number =
        |text: &str| text.trim_end_matches("ms").parse::<u64>().map_err(|_| format!("{text} is no number"));
    match words.as_slice() {
        ["line", "opens"] => world.attach(1),
        ["line", "opens", "again", attempt] => world.attach(number(attempt)? as u32),
        ["line", "breaks"] => world.line_breaks(),
        ["hangs", "up"] => world.hang_up(),
        ["carrier", "ends"] => world.handle(Input::CarrierEnded),
        ["presses", key] => {
            let stream = world.carrier.sid().to_owned();
            world.carrier_says(&json!({"event": "dtmf", "streamSid": stream, "dtmf": {"digit": key}}));
        }
        ["caller", "begins", item] => world.caller_begins(item),
        ["caller", "ends", item] => world.caller_ends(item),
        ["caller", "said", item] => world.caller_said(item, said),
        ["model", "answers", response] => world.response_by_itself(response),
        ["model", "obeys", response] => world.response_created(response),
        ["model", "writes", response, item] => world.words(response, item, said),
        ["model", "speaks", response, item, ms] => {
            let ms = number(ms)?;
            if ms % 200 != 0 {
                return Err("it speaks in pieces of 200 ms".to_owned());
            }
            world.audio_in_pieces(response, item, ms);
        }
        ["model", "finishes", response, item] => world.item_done(response, item, said),
        ["model", "ends", response, status] => world.response_done(response, status),
        ["model", "breaks"] => world.model_breaks(),
        ["model", "refuses", status] => {
            world.handle(Input::ModelRefused { status: number(status)? as u16, body: said });
        }
        ["model", "wants", response, tool_call, tool] => {
            world.wants_tool(response, tool_call, tool, if said.is_empty() { "{}" } else { said });
        }
        ["tool", "gives", tool_call] => world.tool_done(tool_call, said, ToolEffect::None),
        ["tool", "ends", "call", tool_call] => world.tool_done(tool_call, "{}", ToolEffect::EndCall),
        ["tool", "transfers", tool_call] => world.tool_done(tool_call, "{}", ToolEffect::Transfer),
        ["operator", "ends", "call"] => world.operator_ends(),
        ["operator", "hangs", "up"] => world.operator(OperatorCommand::End { at_once: true }),
        ["operator", "pauses"] => world.operator(OperatorCommand::Pause),
        ["operator", "resumes"] => world.operator(OperatorCommand::Resume),
        ["operator", "tells"] => world.operator(OperatorCommand::Message { text: said.to_owned() }),
        ["operator", "instructs"] => {
            world.operator(OperatorCommand::Override { instructions: said.to_owned() });
        }
        ["time", "passes"] => {}
        _ => return Err("nobody knows what that is".to_owned()),
    }
    Ok(())
}
