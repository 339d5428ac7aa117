//! Messages that callers left for human beings.

use voicecore_domain::MessageKind;
use voicecore_ports::Stmt;
use voicecore_types::{BusinessId, CallId, MessageId, Millis, Page, PageRequest};

use crate::paging::{self, COUNT_LIMIT};
use crate::row::count_arg;
use crate::seal::Sealed;
use crate::{Scope, StoreError, notifications};

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// For whom.
    pub business_id: BusinessId,
    /// From which call.
    pub call_id: CallId,
    /// How it was left.
    pub kind: MessageKind,
    /// Who left it, as far as they said.
    pub caller_name: Option<String>,
    /// Where to ring back; sealed for `Column::CallbackNumber`.
    pub callback_number: Option<Sealed>,
    /// What it says; empty for a voicemail.
    pub body: String,
    /// The carrier's name of a voicemail's recording.
    pub recording_id: Option<String>,
    /// How long that is.
    pub recording_length: Option<Millis>,
    /// When.
    pub created_at: Millis,
}

/// A message that the assistant wrote down. The business is the call's.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Its id.
    pub id: MessageId,
    /// From which call.
    pub call_id: CallId,
    /// Who left it, as far as they said.
    pub caller_name: Option<&'a str>,
    /// Where to ring back; sealed for `Column::CallbackNumber`.
    pub callback_number: Option<&'a Sealed>,
    /// What it says.
    pub body: &'a str,
    /// When.
    pub created_at: Millis,
}

/// A message that the caller spoke onto a recording. The business is the call's.
#[derive(Debug, Clone)]
pub struct NewVoicemail<'a> {
    /// Its id.
    pub id: MessageId,
    /// From which call.
    pub call_id: CallId,
    /// Where to ring back; sealed for `Column::CallbackNumber`.
    pub callback_number: Option<&'a Sealed>,
    /// The carrier's name of the recording.
    pub recording_id: &'a str,
    /// How long that is.
    pub recording_length: Option<Millis>,
    /// When.
    pub created_at: Millis,
}

statements! {
    INSERT = "insert into messages (id, tenant_id, business_id, call_id, kind, caller_name, callback_number, body, created_at,
        department_id)
        select ?1, c.tenant_id, c.business_id, c.id, 'message', ?4, ?5, ?6, ?7, c.department_id from calls c
        where c.id = ?3 and c.tenant_id = ?2";

    INSERT_VOICEMAIL = "insert into messages (id, tenant_id, business_id, call_id, kind, callback_number, body, recording_id,
        recording_ms, created_at, department_id)
        select ?1, c.tenant_id, c.business_id, c.id, 'voicemail', ?4, '', ?5, ?6, ?7, c.department_id from calls c
        where c.id = ?3 and c.tenant_id = ?2
        on conflict (call_id, recording_id) do nothing";

    LIST = "select id, business_id, call_id, kind, caller_name, callback_number, body, recording_id, recording_ms, created_at
        from messages where tenant_id = ?";

    COUNT = "select count(*) as total from (select 1 from messages where tenant_id = ?";
}

/// The statement that stores a message; it demands that the call is the tenant's. It belongs into the batch of
/// [`tool_runs::finish`](crate::tool_runs::finish), which makes it happen once.
pub fn insert(scope: &Scope, message: &NewMessage<'_>) -> Stmt {
    let args = vec![
        message.id.to_string().into(),
        scope.tenant_arg(),
        message.call_id.to_string().into(),
        message.caller_name.into(),
        message.callback_number.into(),
        message.body.into(),
        message.created_at.into(),
    ];
    Stmt::new(INSERT, args).exactly(1)
}

/// Stores a voicemail, once for each recording of a call. `false`: it is there already (or the call is not the tenant's),
/// nothing was stored.
pub async fn insert_voicemail(scope: &Scope, voicemail: &NewVoicemail<'_>) -> Result<bool, StoreError> {
    let args = vec![
        voicemail.id.to_string().into(),
        scope.tenant_arg(),
        voicemail.call_id.to_string().into(),
        voicemail.callback_number.into(),
        voicemail.recording_id.into(),
        voicemail.recording_length.into(),
        voicemail.created_at.into(),
    ];
    let stmts = vec![Stmt::new(INSERT_VOICEMAIL, args), notifications::of_message(scope, voicemail.id)];
    Ok(scope.batch(stmts).await?.first().is_some_and(|stored| stored.changed == 1))
}

/// The page and the count.
pub(crate) fn list_stmts(scope: &Scope, request: PageRequest) -> [Stmt; 2] {
    let mut page = Stmt::new(LIST, vec![scope.tenant_arg()]);
    let mut count = Stmt::new(COUNT, vec![scope.tenant_arg()]);
    scope.in_sight(&mut page);
    scope.in_sight(&mut count);
    page.sql.push("order by created_at desc, id desc limit ? offset ?");
    page.args.extend(paging::window(request));
    count.sql.push("limit ?) as counted");
    count.args.push(count_arg(COUNT_LIMIT));
    [page, count]
}

/// The tenant's messages, of the departments that the scope sees, newest first.
pub async fn list(scope: &Scope, request: PageRequest) -> Result<Page<Message>, StoreError> {
    let found = paging::run(scope, list_stmts(scope, request)).await?;
    found.page(request, |r| {
        Ok(Message {
            id: r.parsed("id")?,
            business_id: r.parsed("business_id")?,
            call_id: r.parsed("call_id")?,
            kind: r.parsed("kind")?,
            caller_name: r.opt_text("caller_name")?,
            callback_number: r.sealed("callback_number")?,
            body: r.text("body")?,
            recording_id: r.opt_text("recording_id")?,
            recording_length: r.opt_moment("recording_ms")?,
            created_at: r.moment("created_at")?,
        })
    })
}
