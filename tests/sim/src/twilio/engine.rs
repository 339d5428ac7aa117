//! One call: its documents are fetched and executed, its callbacks sent, until it is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::account::{API_VERSION, Account, timestamp};
use super::line::{Line, LineTick};
use super::playback::Source;
use super::prompts::Voices;
use super::report::{Document, Event};
use super::state::{CallState, Recording, Status, set_status};
use super::twiml::{Action, CONTENT_TYPE, Connect, Fault, Method, PARSE_FAILURE, Verb, parse};
use super::webhook::{Answer, Request, WebhookError, send};
use crate::scenario::{Callee, EndedBy, Outcome};

/// Documents executed in one call: a loop of redirects ends here, as error 12400 ends it at Twilio.
const MAX_DOCUMENTS: usize = 50;
/// What Twilio says when a call cannot go on.
const APPLICATION_ERROR: &str = "We're sorry. An application error has occurred. Goodbye.";
/// What tells the product about a disorderly network: the same callback again, this much later.
const LATE_CALLBACK: Duration = Duration::from_millis(400);

/// An order from outside the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// REST `Status=completed`.
    Complete,
    /// REST `Url` or `Twiml`: replaces the running document and so ends a stream.
    Replace(Next),
    /// REST `TimeLimit`, in seconds since the answer.
    TimeLimit(u64),
}

/// Where the TwiML comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// From the product.
    Fetch(Request),
    /// Given with the REST request.
    Inline(String),
}

/// What ends a verb before its time.
#[derive(Debug)]
pub(super) enum Interrupt {
    /// The caller hung up.
    HungUp(EndedBy),
    /// The product ended the call through the REST API.
    Completed,
    /// The product replaced the document.
    Replaced(Next),
}

/// What is told to a stream's status callback.
#[derive(Clone, Copy)]
pub(super) enum StreamEvent<'a> {
    Started,
    Stopped,
    Error(&'a str),
}

/// How a verb that ended in its own time goes on.
pub(super) enum Flow {
    /// With the next verb.
    On,
    /// With another document.
    Goto(Next),
    /// Not at all.
    End(EndedBy),
}

/// What of the caller's ends what is being played.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BargeIn {
    /// A key.
    pub(super) keys: bool,
    /// Speech.
    pub(super) speech: bool,
}

/// A call that is being executed.
pub(super) struct Engine {
    pub(super) account: Account,
    pub(super) call_sid: String,
    pub(super) line: Line,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) state: Arc<CallState>,
    pub(super) voices: Voices,
    pub(super) callee: Callee,
    pub(super) disorderly: bool,
    pub(super) time_limit: Option<u64>,
    /// URL of the running document: relative URLs and omitted actions lead there.
    pub(super) base: String,
    /// What ends what is being played.
    pub(super) barge_in: BargeIn,
    /// Keys pressed while something was played.
    pub(super) keys: Vec<char>,
    pub(super) dialled: Option<Outcome>,
    pub(super) recordings: Vec<Recording>,
}

impl Engine {
    /// Executes the call from its first document to its end. `first` is the answer to the voice webhook, which was
    /// asked for while the call was ringing; a call whose TwiML came with the REST request has none.
    pub(super) async fn run(
        &mut self,
        mut next: Next,
        first: Option<Result<Answer, WebhookError>>,
    ) -> EndedBy {
        let mut first = first;
        for _ in 0..MAX_DOCUMENTS {
            match self.document(next, first.take()).await {
                Ok(Flow::Goto(other)) | Err(Interrupt::Replaced(other)) => next = other,
                Ok(Flow::End(by)) | Err(Interrupt::HungUp(by)) => return by,
                Ok(Flow::On) | Err(Interrupt::Completed) => return EndedBy::App,
            }
        }
        self.line.violation("redirect_loop", format!("more than {MAX_DOCUMENTS} documents"));
        EndedBy::Platform
    }

    /// Fetches and executes one document.
    async fn document(
        &mut self,
        next: Next,
        first: Option<Result<Answer, WebhookError>>,
    ) -> Result<Flow, Interrupt> {
        self.line.set_live(false);
        let (url, text) = match next {
            Next::Inline(text) => ("rest".to_owned(), text),
            Next::Fetch(request) => {
                self.base.clone_from(&request.url);
                let answer = match first {
                    Some(answer) => answer,
                    None => self.fetch(request).await?,
                };
                match answer.map(text_of) {
                    Ok(Ok(text)) => (self.base.clone(), text),
                    Ok(Err(fault)) => return self.application_error(&fault).await,
                    Err(_) => return self.say_application_error().await,
                }
            }
        };
        let at_ms = self.line.now_ms();
        self.line.documents.push(Document { at_ms, url, text: text.clone() });
        let verbs = match parse(&text) {
            Ok(verbs) => verbs,
            Err(fault) => return self.application_error(&fault).await,
        };
        self.line.set_live(true);
        self.line.emit(Event::Twiml { at_ms, verbs: verbs.iter().map(name_of).collect() });
        for verb in &verbs {
            match self.verb(verb).await? {
                Flow::On => {}
                other => return Ok(other),
            }
        }
        // Twilio hangs up when a document has no more verbs.
        Ok(Flow::End(EndedBy::App))
    }

    async fn verb(&mut self, verb: &Verb) -> Result<Flow, Interrupt> {
        match verb {
            Verb::Connect(connect) => {
                self.line.set_live(false);
                let ended = self.stream(connect).await;
                if let (Err(Interrupt::HungUp(_)), Some(action)) = (&ended, &connect.action) {
                    // Told even so, and the answer goes nowhere (`UNVERIFIED.md`, T6).
                    let mut request = self.request(action, &[]);
                    set_status(&mut request.params, Status::Completed.as_str());
                    self.callback(request);
                }
                ended?;
                Ok(connect.action.as_ref().map_or(Flow::On, |action| self.goto(action, &[])))
            }
            Verb::Prompt(prompt) => self.prompt(prompt).await.map(|()| Flow::On),
            Verb::Gather(gather) => self.gather(gather).await,
            Verb::Record(record) => self.record(record).await,
            Verb::Dial(dial) => self.dial(dial).await,
            Verb::Redirect(action) => Ok(self.goto(action, &[])),
            Verb::Hangup | Verb::Reject { .. } => Ok(Flow::End(EndedBy::App)),
        }
    }

    /// The document at `action`, requested with the call's parameters and `extra` ones.
    pub(super) fn goto(&self, action: &Action, extra: &[(&str, String)]) -> Flow {
        Flow::Goto(Next::Fetch(self.request(action, extra)))
    }

    /// The request for an action or callback URL, relative to the running document.
    pub(super) fn request(&self, action: &Action, extra: &[(&str, String)]) -> Request {
        let url = reqwest::Url::parse(&self.base)
            .and_then(|base| base.join(&action.url))
            .map_or_else(|_| action.url.clone(), String::from);
        let mut params = self.state.params();
        params.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Request {
            url: if action.url.contains("://") { action.url.clone() } else { url },
            method: action.method,
            params,
        }
    }

    /// Fetches a document while the line goes on; falls back to the number's fallback URL once.
    async fn fetch(&mut self, mut request: Request) -> Result<Result<Answer, WebhookError>, Interrupt> {
        let (account, params) = (self.account.clone(), self.state.params());
        if request.params.is_empty() {
            // A URL that came through the REST API: like any other, it is told which call it is for.
            request.params.clone_from(&params);
        }
        let (fetched, troubles) = self.during(fetch(account, request, params)).await?;
        for (what, error) in troubles {
            self.trouble(&what, &error);
        }
        Ok(fetched.map(|(url, answer)| {
            self.base = url;
            answer
        }))
    }

    /// A request to the product failed: its own fault, or that of the network.
    pub(super) fn trouble(&self, url: &str, error: &WebhookError) {
        if !error.is_outage() {
            self.line.violation("webhook_failed", format!("{error} ({})", path_of(url)));
        }
    }

    /// Waits for something outside of the call; the line goes on meanwhile.
    pub(super) async fn during<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Interrupt> {
        // A task of its own: what Twilio has begun to send is sent, even when the caller hangs up meanwhile.
        let mut task = tokio::spawn(work);
        loop {
            tokio::select! {
                done = &mut task => match done {
                    Ok(done) => return Ok(done),
                    Err(_) => return Err(Interrupt::HungUp(EndedBy::Platform)),
                },
                tick = self.tick() => drop(tick?),
            }
        }
    }

    /// Waits for the next tick of the line. Cancel-safe.
    pub(super) async fn tick(&mut self) -> Result<LineTick, Interrupt> {
        loop {
            tokio::select! {
                biased;
                () = sleep_until(self.line.next_tick()) => {
                    let tick = self.line.tick();
                    return match tick.hung_up {
                        Some(by) => Err(Interrupt::HungUp(by)),
                        None => self.time_is_up().map_or(Ok(tick), Err),
                    };
                }
                command = self.commands.recv() => if let Some(interrupt) = self.interrupt(command) {
                    return Err(interrupt);
                },
            }
        }
    }

    /// What an order means for the verb that runs.
    pub(super) fn interrupt(&mut self, command: Option<Command>) -> Option<Interrupt> {
        match command {
            Some(Command::Complete) => Some(Interrupt::Completed),
            Some(Command::Replace(next)) => Some(Interrupt::Replaced(next)),
            Some(Command::TimeLimit(seconds)) => {
                self.time_limit = Some(seconds);
                None
            }
            // Nobody can give orders any more: the simulator is shutting down.
            None => Some(Interrupt::HungUp(EndedBy::Platform)),
        }
    }

    /// The call has reached the length that the REST API set.
    pub(super) fn time_is_up(&self) -> Option<Interrupt> {
        let up = self.time_limit.is_some_and(|seconds| self.line.now_ms() >= seconds * 1_000);
        up.then_some(Interrupt::Completed)
    }

    /// Sends a callback whose answer does not matter. A disorderly network sends it again, late.
    pub(super) fn callback(&self, request: Request) {
        let (account, disorderly) = (self.account.clone(), self.disorderly);
        tokio::spawn(async move {
            drop(send(&account, &request).await);
            if disorderly {
                tokio::time::sleep(LATE_CALLBACK).await;
                drop(send(&account, &request).await);
            }
        });
    }

    pub(super) fn stream_status(&self, connect: &Connect, stream_sid: &str, event: StreamEvent<'_>) {
        let Some(action) = &connect.status else { return };
        let (name, error) = match event {
            StreamEvent::Started => ("stream-started", None),
            StreamEvent::Stopped => ("stream-stopped", None),
            StreamEvent::Error(error) => ("stream-error", Some(error)),
        };
        let mut request = self.request(action, &[]);
        let stream_name = connect.name.clone().unwrap_or_else(|| stream_sid.to_owned());
        request.params = vec![
            ("AccountSid".into(), self.account.sid.clone()),
            ("ApiVersion".into(), API_VERSION.into()),
            ("CallSid".into(), self.call_sid.clone()),
            ("StreamSid".into(), stream_sid.into()),
            ("StreamName".into(), stream_name),
            ("StreamEvent".into(), name.into()),
            ("Timestamp".into(), timestamp()),
        ];
        if let Some(error) = error {
            request.params.push(("StreamError".into(), error.into()));
        }
        self.callback(request);
    }

    async fn application_error(&mut self, fault: &Fault) -> Result<Flow, Interrupt> {
        self.line.violation("bad_twiml", fault.to_string());
        self.say_application_error().await
    }

    async fn say_application_error(&mut self) -> Result<Flow, Interrupt> {
        self.line.stop_sound();
        self.line.set_live(true);
        self.say(APPLICATION_ERROR).await?;
        self.state.set_status(Status::Failed);
        Ok(Flow::End(EndedBy::Platform))
    }

    /// One tick of something that the caller may end; `true` when they did.
    pub(super) async fn tick_and_listen(&mut self) -> Result<bool, Interrupt> {
        let tick = self.tick().await?;
        self.keys.extend(tick.key);
        let BargeIn { keys, speech } = self.barge_in;
        Ok(keys && tick.key.is_some() || speech && tick.saying.is_some())
    }

    /// Plays a sound to its end, or until the caller ends it: then it is `false`.
    pub(super) async fn play_out(&mut self, source: Source, audio: Vec<u8>) -> Result<bool, Interrupt> {
        self.line.play(source, audio);
        while !self.line.is_quiet() {
            if self.tick_and_listen().await? {
                self.line.stop_sound();
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Requests a document, and the number's fallback URL when that fails. Returns the answer with the URL that gave it,
/// and what went wrong with which URL.
pub(super) async fn fetch(
    account: Account,
    request: Request,
    call: Vec<(String, String)>,
) -> (Result<(String, Answer), WebhookError>, Vec<(String, WebhookError)>) {
    let url = request.url.clone();
    let error = match send(&account, &request).await {
        Ok(answer) => return (Ok((url, answer)), Vec::new()),
        Err(error) => error,
    };
    let mut troubles = vec![(url.clone(), error.clone())];
    let Some(fallback) = account.fallback_url.clone().filter(|fallback| *fallback != url) else {
        return (Err(error), troubles);
    };
    let mut params = call;
    params.push(("ErrorCode".into(), error.code().into()));
    params.push(("ErrorUrl".into(), url));
    let second = Request { url: fallback.clone(), method: Method::Post, params };
    match send(&account, &second).await {
        Ok(answer) => (Ok((fallback, answer)), troubles),
        Err(error) => {
            troubles.push((fallback, error.clone()));
            (Err(error), troubles)
        }
    }
}

/// The TwiML of an answer.
pub(super) fn text_of(answer: Answer) -> Result<String, Fault> {
    if !matches!(answer.content_type.as_str(), "text/xml" | "application/xml") {
        let message = format!("content type '{}'", answer.content_type);
        return Err(Fault::Refused { code: CONTENT_TYPE, message });
    }
    let not_utf8 = |_| Fault::Refused { code: PARSE_FAILURE, message: "not UTF-8".into() };
    String::from_utf8(answer.body).map_err(not_utf8)
}

/// The URL without what could identify a caller.
fn path_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn name_of(verb: &Verb) -> String {
    use super::twiml::Prompt;
    let name = match verb {
        Verb::Connect(_) => "Connect/Stream",
        Verb::Gather(_) => "Gather",
        Verb::Prompt(Prompt::Say { .. }) => "Say",
        Verb::Prompt(Prompt::Play { .. } | Prompt::PlayDigits(_)) => "Play",
        Verb::Prompt(Prompt::Pause(_)) => "Pause",
        Verb::Record(_) => "Record",
        Verb::Dial(_) => "Dial",
        Verb::Redirect(_) => "Redirect",
        Verb::Reject { .. } => "Reject",
        Verb::Hangup => "Hangup",
    };
    name.to_owned()
}
