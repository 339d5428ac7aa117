use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::{Rc, Weak};

use js_sys::futures::spawn_local;
use voicecore_api::actors::CallReply;
use voicecore_api::live::{self, CallSetup};
use voicecore_call::{
    AfterStream, AttachRefused, Call, CallSummary, Input, Interaction, Intervention, JournalEntry, OpenModel,
    Output, ToolCall,
};
use voicecore_cloudflare_platform::{App, ports};
use voicecore_types::Millis;

use super::doorway::MAX_CARRIER_TEXT;
use super::model::ModelLink;
use crate::hub_link::HubLink;
use crate::journal::Journal;
use crate::socket::{NORMAL_CLOSURE, Socket, SocketEvent, SocketGroup};
use crate::timer::Timer;

/// What waits for a moment (journal, hub) goes with the first frame after it: while a call runs, one comes every 20 ms, and a
/// timer that fires costs as much as a frame. The timer stands in when no frame has come for this long.
const FRAMES_STOPPED: Millis = Millis::from_secs(1);

/// A running call: the machine, its two sockets, its one timer.
///
/// Each event is handled from beginning to end before the next: nothing here awaits while the machine is borrowed, and the
/// runtime never calls a listener from within `send` or `close`.
///
/// **Invariant:** the only storage in reach is the journal's, which cannot close the output gate (`actors::storage`).
pub(super) struct Session {
    me: Weak<Session>,
    app: Rc<App>,
    setup: Rc<CallSetup>,
    call: RefCell<Call>,
    carrier: RefCell<Option<Socket>>,
    model: ModelLink,
    journal: Option<Journal>,
    hub: Rc<HubLink>,
    timer: Timer,
    sockets: SocketGroup,
    on_finished: Box<dyn Fn(Rc<Session>, CallSummary)>,
    erased: Cell<bool>,
}

/// Where the carrier's text lies that is being handled.
#[derive(Clone, Copy)]
enum CarrierText<'a> {
    /// None is.
    None,
    /// In JavaScript, as the event that its socket is being heard with.
    Event,
    /// Here: it came before the call was known.
    Kept(&'a str),
}

impl Session {
    /// A session without sockets: a new call, or one whose actor died when `entries` of its journal are given.
    pub(super) fn new(
        app: Rc<App>,
        setup: Rc<CallSetup>,
        journal: Option<Journal>,
        entries: &[JournalEntry],
        sockets: SocketGroup,
        on_finished: impl Fn(Rc<Session>, CallSummary) + 'static,
    ) -> Rc<Self> {
        let now = ports::now();
        let call = if entries.is_empty() {
            Call::new(setup.call.clone(), now)
        } else {
            Call::resume(setup.call.clone(), entries, now)
        };
        let session = Rc::new_cyclic(|me: &Weak<Session>| {
            let timer_target = me.clone();
            Self {
                me: me.clone(),
                call: RefCell::new(call),
                carrier: RefCell::default(),
                model: ModelLink::default(),
                journal,
                hub: HubLink::new(app.env.clone(), setup.call.call_id, setup.tenant_id, sockets.clone()),
                timer: Timer::new(move || {
                    if let Some(session) = timer_target.upgrade() {
                        session.timer_fired();
                    }
                }),
                sockets,
                on_finished: Box::new(on_finished),
                erased: Cell::new(false),
                app,
                setup,
            }
        });
        // A stream that never comes is not waited for for ever.
        session.arm(now);
        session
    }

    pub(super) fn setup(&self) -> &CallSetup {
        &self.setup
    }

    pub(super) fn model(&self) -> &ModelLink {
        &self.model
    }

    pub(super) fn sockets(&self) -> &SocketGroup {
        &self.sockets
    }

    pub(super) fn hub(&self) -> &HubLink {
        &self.hub
    }

    /// Lets a carrier's stream in that was opened at `opened`: its socket, and the frames that came behind `start`.
    pub(super) fn attach(
        &self,
        opened: Millis,
        attempt: u32,
        stream_sid: &str,
        socket: Socket,
        early: &[String],
    ) -> Result<(), AttachRefused> {
        let now = ports::now();
        let mut call = self.call.try_borrow_mut().map_err(|_| AttachRefused::CallOver)?;
        call.stream_opened(opened);
        call.attach(now, attempt, stream_sid)?;
        drop(call);
        // A socket that was attached before is closed by being dropped.
        self.carrier.replace(self.hear_carrier(socket));
        self.drain(now);
        for frame in early {
            self.handle_from(Input::CarrierText(frame), CarrierText::Kept(frame));
        }
        Ok(())
    }

    fn hear_carrier(&self, socket: Socket) -> Option<Socket> {
        let me = self.me.clone();
        let on_event = move |event: SocketEvent<'_>| {
            let Some(session) = me.upgrade() else { return };
            match event {
                SocketEvent::Text(text) => session.handle_from(Input::CarrierText(text), CarrierText::Event),
                SocketEvent::Binary(bytes) => session.handle(Input::CarrierBinary(bytes)),
                SocketEvent::Closed { .. } => {
                    session.carrier.take();
                    session.handle(Input::CarrierClosed);
                }
            }
        };
        Some(Socket::listen(socket.detach()?, &self.sockets, MAX_CARRIER_TEXT, on_event))
    }

    /// Feeds the machine and does what it says.
    pub(super) fn handle(&self, input: Input<'_>) {
        self.handle_from(input, CarrierText::None);
    }

    fn handle_from(&self, input: Input<'_>, carrier_text: CarrierText<'_>) {
        let now = ports::now();
        if let Ok(mut call) = self.call.try_borrow_mut() {
            call.handle(now, input);
        }
        self.drain_from(now, carrier_text);
    }

    /// Closes both sockets; from now on nothing is done, written or told any more.
    pub(super) fn erase(&self) {
        self.erased.set(true);
        self.carrier.take();
        self.model.close();
    }

    /// Ends the call without a word.
    pub(super) fn abandon(&self) {
        let now = ports::now();
        if let Ok(mut call) = self.call.try_borrow_mut() {
            call.abandon(now);
        }
        self.drain(now);
    }

    /// Somebody steps in. Written down without delay: who has been told that it is done must not find it undone when the actor
    /// is replaced.
    pub(super) fn intervene(&self, intervention: Intervention) -> CallReply {
        if !self.call.try_borrow().is_ok_and(|call| call.takes(&intervention)) {
            return CallReply::TooLate;
        }
        self.handle(Input::Operator(intervention));
        if let Some(journal) = &self.journal {
            journal.flush();
        }
        CallReply::Accepted
    }

    /// The answer to `<Connect action>` after the stream of `attempt`: the same, however often it is asked.
    pub(super) fn after_stream(&self, attempt: u32) -> AfterStream {
        let now = ports::now();
        let answer = match self.call.try_borrow_mut() {
            Ok(mut call) => call.after_stream(now, attempt),
            Err(_) => AfterStream::Apologise,
        };
        self.drain(now);
        answer
    }

    /// What has been said so far, and whether that is all of it.
    pub(super) fn transcript(&self) -> (Vec<Interaction>, bool) {
        self.call.try_borrow().map(|call| (call.transcript(), call.is_finished())).unwrap_or_default()
    }

    fn drain(&self, now: Millis) {
        self.drain_from(now, CarrierText::None);
    }

    fn drain_from(&self, now: Millis, carrier_text: CarrierText<'_>) {
        if self.erased.get() {
            return;
        }
        loop {
            let output = match self.call.try_borrow_mut() {
                Ok(mut call) => call.poll_output(),
                Err(_) => None,
            };
            let Some(output) = output else { break };
            self.perform(now, output, carrier_text);
        }
        self.flush_due(now);
        self.arm(now);
    }

    fn perform(&self, now: Millis, output: Output, carrier_text: CarrierText<'_>) {
        match output {
            Output::ToCarrier(text) => {
                if let Some(socket) = &*self.carrier.borrow() {
                    socket.send(&text);
                }
            }
            Output::ToModel(text) => self.model.send(&text),
            Output::CallerAudio(part) => self.pass_on(part, carrier_text),
            Output::CloseCarrier => {
                if let Some(socket) = self.carrier.take() {
                    socket.close(NORMAL_CLOSURE);
                }
            }
            Output::OpenModel(open) => self.open_model(open),
            Output::CloseModel => self.model.close(),
            Output::RunTool(tool) => self.run_tool(*tool),
            Output::Journal(entry) => {
                if let Some(journal) = &self.journal {
                    journal.append(now, *entry);
                }
            }
            Output::Hub(event) => self.hub.push(now, *event),
            Output::Finished(summary) => self.finished(*summary),
        }
    }

    /// Sends the model a part of the carrier's text that is being handled.
    fn pass_on(&self, audio: Range<usize>, carrier_text: CarrierText<'_>) {
        match carrier_text {
            CarrierText::Event => {
                if let Some(carrier) = &*self.carrier.borrow() {
                    self.model.relay(carrier, audio);
                }
            }
            CarrierText::Kept(text) => self.model.send_audio(text.get(audio).unwrap_or_default()),
            CarrierText::None => {}
        }
    }

    fn open_model(&self, open: OpenModel) {
        let Some(session) = self.me.upgrade() else { return };
        let attempt = self.model.opening();
        spawn_local(async move {
            let outcome = attempt.connect(&session.app.state, session.setup(), &open).await;
            session.model.opened(&session, &attempt, open.audio_frame, outcome);
        });
    }

    fn run_tool(&self, tool: ToolCall) {
        let Some(session) = self.me.upgrade() else { return };
        spawn_local(async move {
            let (app, setup) = (&session.app.state, &session.setup);
            let result = live::run_tool(app, setup, &tool).await;
            session.handle(Input::ToolDone(result.clone()));
            if let Err(error) = live::record_tool(app, setup, &tool, &result).await {
                worker::console_warn!("what a tool did is not recorded: {error}");
            }
        });
    }

    fn finished(&self, summary: CallSummary) {
        self.carrier.take();
        self.model.close();
        if let Some(journal) = &self.journal {
            journal.flush();
        }
        if let Some(session) = self.me.upgrade() {
            (self.on_finished)(session, summary);
        }
    }

    fn timer_fired(&self) {
        self.timer.fired();
        if self.erased.get() {
            return;
        }
        let now = ports::now();
        let call_due = self.call.try_borrow().ok().and_then(|call| call.poll_timeout());
        if call_due.is_some_and(|at| at <= now) {
            self.handle(Input::Timer);
        } else {
            self.flush_due(now);
            self.arm(now);
        }
    }

    /// Writes and tells what has waited long enough.
    fn flush_due(&self, now: Millis) {
        let due = |at: Option<Millis>| at.is_some_and(|at| at <= now);
        if let Some(journal) = self.journal.as_ref().filter(|journal| due(journal.flush_at())) {
            journal.flush();
        }
        if due(self.hub.flush_at()) {
            self.hub.flush(now);
        }
    }

    fn arm(&self, now: Millis) {
        let call = self.call.try_borrow().ok().and_then(|call| call.poll_timeout());
        let flush = [self.journal.as_ref().and_then(Journal::flush_at), self.hub.flush_at()];
        let flush = flush.into_iter().flatten().map(|at| at.plus(FRAMES_STOPPED));
        self.timer.ensure(call.into_iter().chain(flush).min(), now);
    }
}
