//! Tools: asked for by the model, run by the adapter, answered always.

use voicecore_types::Millis;

use super::Call;
use crate::tools::{TIMED_OUT, Verdict, bounded};
use crate::upstream::{Ask, Teller};
use crate::{EndReason, InteractionKind, JournalEntry, Output, Speaker, ToolCall, ToolEffect, ToolResult};

impl Call {
    pub(super) fn on_tool_wanted(&mut self, now: Millis, answer: &str, call: ToolCall) {
        match self.tools.wanted(call, answer, &self.config.session.tools) {
            Verdict::Run(call) => {
                let at = self.at(now);
                let entry = self.turns.add(at, Speaker::System, entry_kind(&call), "");
                let deadline = now.plus(self.config.limits.tool_patience);
                self.tools.start(call.clone(), answer, self.link.sessions(), entry, deadline);
                self.journal(JournalEntry::Tool(call.clone()));
                self.outputs.push_back(Output::RunTool(Box::new(call)));
            }
            Verdict::Refuse { tool_call_id, output } => {
                self.voice.tool_output(&tool_call_id, output);
                self.tools.answered(answer);
            }
            Verdict::Repeat { tool_call_id, entry } => {
                let known = entry.and_then(|entry| self.turns.entry(entry)).map(|entry| entry.text.clone());
                self.voice.tool_output(&tool_call_id, known.as_deref().unwrap_or(TIMED_OUT));
                self.tools.answered(answer);
            }
            Verdict::Ignore => {}
        }
    }

    pub(super) fn on_tool_done(&mut self, now: Millis, result: &ToolResult) {
        let at = self.at(now);
        let Some(run) = self.tools.settle(&result.tool_call_id) else {
            // Too late: the model was told so. What came of it is still written down.
            if let Some(entry) = self.tools.run(&result.tool_call_id).and_then(|run| run.entry) {
                self.turns.rewrite(entry, at, &result.output);
            }
            return;
        };
        let (entry, session, answer) = (run.entry, run.session, run.answer.clone());
        let name = run.call.name.clone();
        let output = bounded(&result.output);
        if let Some(entry) = entry {
            // An empty result would look like a run that never ended.
            self.turns.rewrite(entry, at, if output.is_empty() { "null" } else { output });
        }
        if self.ended.is_some() {
            return;
        }
        let same_session = session == self.link.sessions();
        if self.link.is_ready() {
            if same_session {
                self.voice.tool_output(&result.tool_call_id, output);
            } else {
                let told = format!("The tool {name} was run. Its result: {output}");
                self.voice.tell(Teller::System, &told);
            }
        }
        self.tools.answered(&answer);
        match result.effect {
            ToolEffect::None if !same_session && self.link.is_ready() => self.voice.ask(Ask::Answer),
            // A session on its way will be told with the rest; `resume_owed` makes it speak.
            ToolEffect::None if !same_session => self.resume_owed = Some(Ask::Resume),
            ToolEffect::None => {}
            // Who spoke while calling the tool has said goodbye already (pitfall 21).
            ToolEffect::EndCall => {
                let silent = !self.turns.spoke_in(&answer);
                self.leave(now, EndReason::AssistantEnded, silent);
            }
            ToolEffect::Transfer => {
                let silent = !self.turns.spoke_in(&answer);
                self.leave(now, EndReason::Transferred, silent);
            }
        }
    }

    /// Tools that do not answer are answered for.
    pub(super) fn tools_overdue(&mut self, now: Millis) {
        for tool_call_id in self.tools.overdue(now) {
            let output = TIMED_OUT.to_owned();
            self.on_tool_done(now, &ToolResult { tool_call_id, output, effect: ToolEffect::None });
        }
    }

    /// A run is journaled at once, its entry of the transcript a moment later: a process that died in between left none. Without
    /// one neither the next session nor the transcript would know of the run.
    pub(super) fn write_down_runs(&mut self, now: Millis) {
        let at = self.at(now);
        for run in self.tools.without_entry() {
            run.entry = self.turns.add(at, Speaker::System, entry_kind(&run.call), "");
        }
    }

    /// Tools that a process before this one began are asked for again: their id makes it one run.
    pub(super) fn rerun_tools(&mut self, now: Millis) {
        let deadline = now.plus(self.config.limits.tool_patience);
        for call in self.tools.take_restored(deadline) {
            self.outputs.push_back(Output::RunTool(Box::new(call)));
        }
    }
}

fn entry_kind(call: &ToolCall) -> InteractionKind {
    InteractionKind::Tool { name: call.name.clone(), tool_call_id: call.tool_call_id.clone() }
}
