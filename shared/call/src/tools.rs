//! The tools of a call: each tool call of the model is run once, and answered always.

use std::collections::VecDeque;

use voicecore_types::Millis;

use crate::{ToolCall, ToolSpec};

/// Most tool calls that run at the same time.
pub(crate) const MAX_RUNNING: usize = 16;
/// Most tool calls of one call. A model that wants more is in a loop.
pub(crate) const MAX_RUNS: usize = 200;
/// Longest arguments, in bytes.
pub(crate) const MAX_ARGUMENTS: usize = 32 * 1024;
/// Longest result that the model is told, in bytes.
pub(crate) const MAX_OUTPUT: usize = 32 * 1024;
/// Most answers whose tool calls are being waited for.
pub(crate) const MAX_BATCHES: usize = 8;

/// The deadline of a run that another process began, until it is asked for again.
const NEVER: Millis = Millis(u64::MAX);

/// What to do with a tool call of the model's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Run it.
    Run(ToolCall),
    /// Answer it with this, without running anything.
    Refuse { tool_call_id: String, output: &'static str },
    /// It was run before and has this entry in the transcript: answer it with the same result.
    Repeat { tool_call_id: String, entry: Option<usize> },
    /// It has no id, so it cannot be answered; or it is running already.
    Ignore,
}

/// A tool that runs, or ran.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) call: ToolCall,
    /// Which answer of the model asked.
    pub(crate) answer: String,
    /// Which session of the model asked: another one knows nothing of it. 0: one of a process before this.
    pub(crate) session: u32,
    /// Its entry in the transcript.
    pub(crate) entry: Option<usize>,
    deadline: Millis,
    settled: bool,
}

/// The tool calls of one answer, which is continued once all are settled.
#[derive(Debug)]
struct Batch {
    answer: String,
    open: usize,
    ended: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Tools {
    runs: Vec<Run>,
    batches: VecDeque<Batch>,
}

impl Tools {
    /// Judges a tool call of `answer`.
    pub(crate) fn wanted(&mut self, call: ToolCall, answer: &str, specs: &[ToolSpec]) -> Verdict {
        let known = self.run(&call.tool_call_id).map(|run| (run.settled, run.entry));
        if call.tool_call_id.is_empty() || known.is_some_and(|(settled, _)| !settled) {
            return Verdict::Ignore;
        }
        self.batch(answer).open += 1;
        if let Some((_, entry)) = known {
            return Verdict::Repeat { tool_call_id: call.tool_call_id, entry };
        }
        let refuse = |output| Verdict::Refuse { tool_call_id: call.tool_call_id.clone(), output };
        if !specs.iter().any(|spec| spec.name == call.name) {
            return refuse(r#"{"error":"unknown_tool","message":"There is no such tool."}"#);
        }
        if self.runs.len() >= MAX_RUNS || self.running() >= MAX_RUNNING {
            return refuse(r#"{"error":"too_many","message":"Too many tool calls. Do without."}"#);
        }
        match normalised(&call.arguments) {
            Some(arguments) => Verdict::Run(ToolCall { arguments, ..call }),
            None => {
                refuse(r#"{"error":"invalid_arguments","message":"The arguments are not a JSON object."}"#)
            }
        }
    }

    /// Notes that a tool runs now.
    pub(crate) fn start(
        &mut self,
        call: ToolCall,
        answer: &str,
        session: u32,
        entry: Option<usize>,
        deadline: Millis,
    ) {
        self.runs.push(Run { call, answer: answer.to_owned(), session, entry, deadline, settled: false });
    }

    /// A process before this one began a run.
    pub(crate) fn restore(&mut self, call: &ToolCall) {
        if self.run(&call.tool_call_id).is_none() && self.runs.len() < MAX_RUNS {
            self.start(call.clone(), "", 0, None, NEVER);
        }
    }

    /// A process before this one wrote a run into the transcript, with its result when it was `settled`.
    pub(crate) fn restore_entry(&mut self, tool_call_id: &str, entry: usize, settled: bool) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.call.tool_call_id == tool_call_id) {
            run.entry = Some(entry);
            run.settled = settled;
        }
    }

    /// The runs that have no entry in the transcript.
    pub(crate) fn without_entry(&mut self) -> impl Iterator<Item = &mut Run> {
        self.runs.iter_mut().filter(|run| run.entry.is_none())
    }

    /// Takes the runs that a process before this one began and did not settle.
    pub(crate) fn take_restored(&mut self, deadline: Millis) -> Vec<ToolCall> {
        let open = self.runs.iter_mut().filter(|run| !run.settled && run.deadline == NEVER);
        open.map(|run| {
            run.deadline = deadline;
            run.call.clone()
        })
        .collect()
    }

    /// A run is over. `None` when it was over before, or never began.
    pub(crate) fn settle(&mut self, tool_call_id: &str) -> Option<&Run> {
        let run = self.runs.iter_mut().find(|run| run.call.tool_call_id == tool_call_id && !run.settled)?;
        run.settled = true;
        Some(run)
    }

    /// The run of an id, settled or not.
    pub(crate) fn run(&self, tool_call_id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.call.tool_call_id == tool_call_id)
    }

    /// The ids of runs that have taken too long.
    pub(crate) fn overdue(&self, now: Millis) -> Vec<String> {
        let late = self.runs.iter().filter(|run| !run.settled && run.deadline <= now);
        late.map(|run| run.call.tool_call_id.clone()).collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.runs.iter().filter(|run| !run.settled).map(|run| run.deadline).min().filter(|at| *at < NEVER)
    }

    pub(crate) fn running(&self) -> usize {
        self.runs.iter().filter(|run| !run.settled).count()
    }

    /// One tool call of some answer was answered.
    pub(crate) fn answered(&mut self, answer: &str) {
        if let Some(batch) = self.batches.iter_mut().find(|batch| batch.answer == answer) {
            batch.open = batch.open.saturating_sub(1);
        }
    }

    /// An answer is over: no more tool calls of it will come.
    pub(crate) fn answer_ended(&mut self, answer: &str) {
        if let Some(batch) = self.batches.iter_mut().find(|batch| batch.answer == answer) {
            batch.ended = true;
        }
    }

    /// Takes an answer all of whose tool calls are answered: it is to be continued, once.
    pub(crate) fn pop_complete(&mut self) -> bool {
        let complete = self.batches.iter().position(|batch| batch.ended && batch.open == 0);
        complete.is_some_and(|place| self.batches.remove(place).is_some())
    }

    /// The session that asked is gone: its answers will not be continued.
    pub(crate) fn forget_answers(&mut self) {
        self.batches.clear();
    }

    fn batch(&mut self, answer: &str) -> &mut Batch {
        let place = self.batches.iter().position(|batch| batch.answer == answer).unwrap_or_else(|| {
            if self.batches.len() >= MAX_BATCHES {
                self.batches.pop_front();
            }
            self.batches.push_back(Batch { answer: answer.to_owned(), open: 0, ended: false });
            self.batches.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "just found or pushed")]
        &mut self.batches[place]
    }
}

/// The arguments when they are a JSON object; nothing at all counts as `{}`.
fn normalised(arguments: &str) -> Option<String> {
    if arguments.len() > MAX_ARGUMENTS {
        return None;
    }
    if arguments.trim().is_empty() {
        return Some("{}".to_owned());
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(arguments).ok()?;
    drop(object);
    Some(arguments.to_owned())
}

/// A result as the model is told it: within [`MAX_OUTPUT`].
pub(crate) fn bounded(output: &str) -> &str {
    if output.len() > MAX_OUTPUT {
        r#"{"error":"too_long","message":"The result is too long to be used."}"#
    } else {
        output
    }
}

/// What the model is told of a tool that did not answer in time.
pub(crate) const TIMED_OUT: &str = r#"{"error":"timeout","message":"The tool did not answer in time. It may still have worked: do not try again."}"#;

#[cfg(test)]
mod tests {
    use super::{Tools, Verdict, normalised};
    use crate::{ToolCall, ToolSpec};
    use voicecore_types::Millis;

    fn spec(name: &str) -> ToolSpec {
        ToolSpec { name: name.to_owned(), description: String::new(), parameters: serde_json::json!({}) }
    }

    fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
        ToolCall { tool_call_id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
    }

    #[test]
    fn an_answer_is_continued_once_all_of_its_tools_are_answered() {
        let specs = [spec("book")];
        let mut tools = Tools::default();
        for id in ["c1", "c2"] {
            let Verdict::Run(run) = tools.wanted(call(id, "book", "{}"), "r1", &specs) else { panic!() };
            tools.start(run, "r1", 1, None, Millis(100));
        }
        tools.answer_ended("r1");
        assert!(tools.settle("c1").is_some());
        tools.answered("r1");
        assert!(!tools.pop_complete());
        assert!(tools.settle("c1").is_none(), "settled once");
        assert!(tools.settle("c2").is_some());
        tools.answered("r1");
        assert!(tools.pop_complete());
        assert!(!tools.pop_complete());
    }

    #[test]
    fn arguments_are_an_object_or_nothing() {
        assert_eq!(normalised(" "), Some("{}".to_owned()));
        assert_eq!(normalised(r#"{"a":1}"#), Some(r#"{"a":1}"#.to_owned()));
        for bad in ["[1]", "1", "{", "null", "\"x\""] {
            assert_eq!(normalised(bad), None, "{bad}");
        }
    }
}
