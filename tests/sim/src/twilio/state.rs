//! A call as the REST API shows it and as webhooks tell of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::account::{API_VERSION, Account, timestamp};
use crate::whereabouts::PLACES;

/// Status of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Made by the REST API, not yet dialled.
    Queued,
    /// The called party has not answered.
    Ringing,
    /// Answered.
    InProgress,
    /// Ended after an answer.
    Completed,
    /// Ended by an error.
    Failed,
    /// The called party is busy, or the call was rejected.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Called off before the answer.
    Canceled,
}

impl Status {
    /// As Twilio spells it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Canceled => "canceled",
        }
    }

    /// Nothing comes after it.
    pub(super) const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Ringing | Self::InProgress)
    }
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recording {
    /// `RE…`.
    pub sid: String,
    /// The call that was recorded.
    pub call_sid: String,
    /// Whole seconds.
    pub duration: u64,
    /// `in-progress`, `paused`, `stopped`, `completed` or `absent`.
    pub status: &'static str,
    /// µ-law of the caller's side.
    pub audio: Vec<u8>,
    /// When it was made.
    pub created: String,
}

/// A call's changing part, shared by the call itself and the REST API.
#[derive(Debug)]
pub(super) struct CallState {
    account_sid: String,
    /// `CA…`.
    pub sid: String,
    /// The caller.
    pub from: String,
    /// The number called.
    pub to: String,
    /// Twilio called, at the product's wish.
    pub outbound: bool,
    /// Where the call's progress is told.
    pub status_url: Option<String>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    status: Status,
    created: String,
    started: Option<String>,
    ended: Option<String>,
    duration: u64,
    callbacks: u32,
}

impl CallState {
    /// A call that begins to ring (inbound) or is queued (outbound).
    pub(super) fn new(
        account: &Account,
        sid: &str,
        from: &str,
        to: &str,
        outbound: bool,
        status_url: Option<String>,
    ) -> Self {
        let status = if outbound { Status::Queued } else { Status::Ringing };
        let inner =
            Inner { status, created: timestamp(), started: None, ended: None, duration: 0, callbacks: 0 };
        Self {
            account_sid: account.sid.clone(),
            sid: sid.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            outbound,
            status_url,
            inner: Mutex::new(inner),
        }
    }

    /// The status now.
    pub(super) fn status(&self) -> Status {
        self.lock().status
    }

    /// Changes the status; a final one stays.
    pub(super) fn set_status(&self, status: Status) {
        let mut inner = self.lock();
        if inner.status.is_final() {
            return;
        }
        inner.status = status;
        if status == Status::InProgress {
            inner.started = Some(timestamp());
        }
        if status.is_final() {
            inner.ended = Some(timestamp());
        }
    }

    /// Sets the length in milliseconds; Twilio bills begun seconds.
    pub(super) fn set_duration(&self, ms: u64) {
        self.lock().duration = ms.div_ceil(1_000);
    }

    /// The parameters that every webhook about the call carries.
    pub(super) fn params(&self) -> Vec<(String, String)> {
        let direction = if self.outbound { "outbound-api" } else { "inbound" };
        let said = [
            ("AccountSid", self.account_sid.as_str()),
            ("ApiVersion", API_VERSION),
            ("CallSid", &self.sid),
            ("CallStatus", self.status().as_str()),
            ("Called", &self.to),
            ("Caller", &self.from),
            ("Direction", direction),
            ("From", &self.from),
            ("To", &self.to),
        ];
        let said = said.into_iter().chain(PLACES);
        said.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The parameters of a status callback, for `status`.
    pub(super) fn callback_params(&self, status: &str) -> Vec<(String, String)> {
        let mut params = self.params();
        set_status(&mut params, status);
        let mut inner = self.lock();
        let sequence = inner.callbacks;
        inner.callbacks += 1;
        params.push(("CallbackSource".into(), "call-progress-events".into()));
        params.push(("SequenceNumber".into(), sequence.to_string()));
        params.push(("Timestamp".into(), timestamp()));
        if status == "completed" {
            params.push(("CallDuration".into(), inner.duration.to_string()));
            params.push(("Duration".into(), inner.duration.div_ceil(60).to_string()));
        }
        params
    }

    /// The REST resource.
    pub(super) fn resource(&self) -> Value {
        let inner = self.lock();
        let base = format!("/{API_VERSION}/Accounts/{}/Calls/{}", self.account_sid, self.sid);
        json!({
            "sid": self.sid, "account_sid": self.account_sid, "api_version": API_VERSION,
            "from": self.from, "from_formatted": self.from, "to": self.to, "to_formatted": self.to,
            "direction": if self.outbound { "outbound-api" } else { "inbound" },
            "status": inner.status.as_str(), "answered_by": null, "parent_call_sid": null,
            "date_created": inner.created, "date_updated": inner.ended.as_ref().unwrap_or(&inner.created),
            "start_time": inner.started, "end_time": inner.ended,
            "duration": inner.ended.as_ref().map(|_| inner.duration.to_string()),
            "price": null, "price_unit": "USD", "caller_name": null, "forwarded_from": null, "group_sid": null,
            "phone_number_sid": null, "queue_time": "0", "trunk_sid": null, "annotation": null,
            "uri": format!("{base}.json"),
            "subresource_uris": {"recordings": format!("{base}/Recordings.json")},
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the parameters tell another status.
pub(super) fn set_status(params: &mut [(String, String)], status: &str) {
    for (name, value) in params {
        if name == "CallStatus" {
            status.clone_into(value);
        }
    }
}

impl Recording {
    /// The REST resource.
    pub(super) fn resource(&self, account_sid: &str) -> Value {
        json!({
            "sid": self.sid, "account_sid": account_sid, "call_sid": self.call_sid, "api_version": API_VERSION,
            "conference_sid": null, "channels": 1, "source": "RecordVerb", "status": self.status,
            "duration": self.duration.to_string(), "error_code": null, "price": null, "price_unit": "USD",
            "date_created": self.created, "date_updated": self.created, "start_time": self.created,
            "encryption_details": null,
            "media_url": self.url("https://api.twilio.com", account_sid),
            "uri": format!("/{API_VERSION}/Accounts/{account_sid}/Recordings/{}.json", self.sid),
        })
    }

    /// The URL of the audio, without an extension, as callbacks give it.
    pub(super) fn url(&self, origin: &str, account_sid: &str) -> String {
        format!("{origin}/{API_VERSION}/Accounts/{account_sid}/Recordings/{}", self.sid)
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, CallState, Status};

    fn call() -> CallState {
        let account = Account::new("AC1", "t", "https://h", "http://127.0.0.1:1");
        CallState::new(&account, "CA1", "+15005550001", "+15005550006", false, None)
    }

    #[test]
    fn a_final_status_stays() {
        let call = call();
        call.set_status(Status::InProgress);
        call.set_status(Status::Failed);
        call.set_status(Status::Completed);
        assert_eq!(call.status(), Status::Failed);
        assert!(call.resource()["end_time"].is_string());
    }

    #[test]
    fn callbacks_are_numbered_and_the_last_one_carries_the_length() {
        let call = call();
        call.set_duration(61_001);
        let find = |params: &[(String, String)], name: &str| {
            params.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        let first = call.callback_params("ringing");
        assert_eq!((find(&first, "SequenceNumber"), find(&first, "CallDuration")), (Some("0".into()), None));
        let last = call.callback_params("completed");
        assert_eq!(find(&last, "SequenceNumber").as_deref(), Some("1"));
        assert_eq!(find(&last, "CallStatus").as_deref(), Some("completed"));
        assert_eq!(
            (find(&last, "CallDuration"), find(&last, "Duration")),
            (Some("62".into()), Some("2".into()))
        );
    }
}
